"""What an installation weighs, package by package.

    python -m infrastructure.docker.parts PREFIX [--root /] [--most 900] [--json]

PREFIX is an environment (`.venv`, or `/opt/morrow` in the image). With `--root` all else below that
folder is counted too, as `(base)`, but for what is mounted there. Every file
counts once, with its length, for the package whose RECORD names it; compiled modules go with their
sources. What no package names is `(unnamed)`. Exit status 1 when all of it is more than `--most`
MB, which are 10^6 bytes each.
"""

import argparse
import json
import os
import re
import stat
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Final

BASE: Final = "(base)"
UNNAMED: Final = "(unnamed)"
MB: Final = 10**6
MOUNTS: Final = Path("/proc/self/mountinfo")


def parts(prefix: Path, root: Path | None = None) -> Counter[str]:
    """Bytes by package of what is below `prefix`, and by `(base)` of what else is below `root`."""
    prefix = prefix.resolve()
    owners = _owners(prefix)
    weighed: Counter[str] = Counter()
    seen: set[tuple[int, int]] = set()
    for folder in [prefix] if root is None else [prefix, root.resolve()]:
        for path, found in _files(folder):
            if (found.st_dev, found.st_ino) in seen:
                continue
            seen.add((found.st_dev, found.st_ino))
            inside = path.is_relative_to(prefix)
            weighed[_owner(path, owners) if inside else BASE] += found.st_size
    return weighed


def _owners(prefix: Path) -> Mapping[Path, str]:
    """Who names which file, by the RECORDs below `prefix`."""
    folders = sorted({str(path.parent) for path in prefix.glob("lib/python*/site-packages/*")})
    return {
        path: installed.metadata["Name"].lower()
        for installed in distributions(path=folders)
        for path in _named_by(installed)
    }


def _named_by(installed: Distribution) -> Iterator[Path]:
    for file in installed.files or ():
        yield Path(os.path.normpath(str(file.locate())))


def _owner(path: Path, owners: Mapping[Path, str]) -> str:
    if path.parent.name == "__pycache__":
        path = path.parent.parent / f"{path.name.partition('.')[0]}.py"
    return owners.get(path, UNNAMED)


def _files(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Every file below `folder` but in what is mounted there; links as what they are."""
    mounted = mount_points(MOUNTS.read_text()) if MOUNTS.exists() else frozenset[Path]()
    for at, names, files in os.walk(folder, onerror=_refuse):
        here = Path(at)
        links = [name for name in names if (here / name).is_symlink()]
        names[:] = [name for name in names if here / name not in mounted]
        for name in [*files, *links]:
            found = (here / name).lstat()
            if stat.S_ISREG(found.st_mode) or stat.S_ISLNK(found.st_mode):
                yield here / name, found


def mount_points(mountinfo: str) -> frozenset[Path]:
    """Where something is mounted, by the kernel's own list: a folder of the same disk too."""
    told = [line.split()[4] for line in mountinfo.splitlines()]
    return frozenset(Path(re.sub(r"\\(\d{3})", lambda m: chr(int(m[1], 8)), each)) for each in told)


def _refuse(error: OSError) -> None:
    raise error  # a folder that cannot be read is not an empty one


def report(weighed: Counter[str]) -> str:
    """A line a package, the heaviest first, and the sum."""
    lines = [f"{size / MB:8.1f}  {name}" for name, size in weighed.most_common()]
    return "\n".join([*lines, f"{weighed.total() / MB:8.1f}  MB in all"])


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="parts", description="what an installation weighs")
    parser.add_argument("prefix", type=Path)
    parser.add_argument("--root", type=Path)
    parser.add_argument("--most", type=float, metavar="MB")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args(arguments)
    weighed = parts(asked.prefix, asked.root)
    print(json.dumps(dict(weighed.most_common())) if asked.json else report(weighed))
    if asked.most is not None and weighed.total() > asked.most * MB:
        print(f"{weighed.total() / MB:.1f} MB, {asked.most:g} at most", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
