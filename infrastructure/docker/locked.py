"""The part of the lock that the image is made from, as requirements with their hashes.

    python -m infrastructure.docker.locked runtime > runtime.txt

`runtime` is what the product runs with, `build` what makes its own wheel. Needs nothing but Python:
the first stage of the image asks it before anything is installed.
"""

import re
import sys
import tomllib
from collections.abc import Sequence
from typing import Final

from infrastructure.supply.lock import (
    LOCK,
    PROJECT,
    Locked,
    direct_names,
    part_below,
    read_lock,
)

USAGE: Final = "usage: python -m infrastructure.docker.locked runtime|build"


def requirements(part: str, lock: str, project: str) -> str:
    """What pip installs with `--require-hashes`; `part` is `runtime` or `build`."""
    names = direct_names(project) if part == "runtime" else build_names(project)
    return "".join(map(_as_line, part_below(read_lock(lock), names)))


def build_names(project: str) -> frozenset[str]:
    """What the project's build system asks for; `project` is its pyproject.toml."""
    declared = tomllib.loads(project)["build-system"]["requires"]
    return frozenset(re.split(r"[\[<>=!~; ]", each)[0].lower() for each in declared)


def _as_line(package: Locked) -> str:
    where = f" ; {package.marker}" if package.marker else ""
    hashes = "".join(f" \\\n    --hash=sha256:{each}" for each in package.hashes)
    return f"{package.name}=={package.version}{where}{hashes}\n"


def main(arguments: Sequence[str]) -> int:
    if list(arguments) not in (["runtime"], ["build"]):
        print(USAGE, file=sys.stderr)
        return 2
    sys.stdout.write(requirements(arguments[0], LOCK.read_text(), PROJECT.read_text()))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
