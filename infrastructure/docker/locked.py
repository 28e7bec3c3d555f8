"""The part of the lock that the image is made from, as requirements with their hashes.

    python -m infrastructure.docker.locked runtime [EXTRA …] > runtime.txt

`runtime` is what the product runs with, and with these extras; `build` is what makes its own wheel.
Needs nothing but Python: the first stage of the image asks it before anything is installed.
"""

import re
import sys
import tomllib
from collections.abc import Collection, Iterable, Sequence
from typing import Final

from infrastructure.supply.lock import (
    LOCK,
    PROJECT,
    Locked,
    direct_names,
    part_below,
    read_lock,
)

USAGE: Final = "usage: python -m infrastructure.docker.locked runtime [EXTRA …] | build"


class UnknownExtra(Exception):
    """An extra that the project does not have; the message says which it has."""


def requirements(names: Collection[str], lock: str) -> str:
    """What pip installs with `--require-hashes`: the packages of these names, and what they ask."""
    return "".join(map(_as_line, part_below(read_lock(lock), names)))


def runtime_names(project: str, extras: Collection[str] = ()) -> frozenset[str]:
    """What the project asks for, and each of `extras`; `project` is its pyproject.toml."""
    declared: dict[str, list[str]] = tomllib.loads(project)["project"]["optional-dependencies"]
    if unknown := set(extras) - set(declared):
        told = ", ".join(sorted(unknown))
        raise UnknownExtra(f"no extra {told}: there are {', '.join(sorted(declared))}")
    return direct_names(project) | _names(each for extra in extras for each in declared[extra])


def build_names(project: str) -> frozenset[str]:
    """What the project's build system asks for; `project` is its pyproject.toml."""
    return _names(tomllib.loads(project)["build-system"]["requires"])


def _names(requirements: Iterable[str]) -> frozenset[str]:
    return frozenset(re.split(r"[\[<>=!~; ]", each)[0].lower() for each in requirements)


def _as_line(package: Locked) -> str:
    where = f" ; {package.marker}" if package.marker else ""
    hashes = "".join(f" \\\n    --hash=sha256:{each}" for each in package.hashes)
    return f"{package.name}=={package.version}{where}{hashes}\n"


def main(arguments: Sequence[str]) -> int:
    project = PROJECT.read_text()
    match list(arguments):
        case ["build"]:
            names = build_names(project)
        case ["runtime", *extras]:
            names = runtime_names(project, extras)
        case _:
            print(USAGE, file=sys.stderr)
            return 2
    sys.stdout.write(requirements(names, LOCK.read_text()))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
