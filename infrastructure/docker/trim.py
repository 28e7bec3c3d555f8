"""Leaves out of an installation what its packages carry for their own development: their tests.

    python -m infrastructure.docker.trim PREFIX

Goes by the RECORD of each package, and takes out of it what it deletes, so that what is installed
is still what is recorded. Prints what went, by package. Compiled modules must not be there yet.
"""

import csv
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from importlib.metadata import Distribution, distributions
from pathlib import Path, PurePath
from typing import Final

TESTS: Final = frozenset({"tests", "test"})


def trim(prefix: Path) -> Counter[str]:
    """Delete the tests within the packages below `prefix`; bytes that went, by package."""
    gone: Counter[str] = Counter()
    for folder in sorted(prefix.resolve().glob("lib/python*/site-packages")):
        for installed in distributions(path=[str(folder)]):
            size = sum(_delete(folder, tests) for tests in _tests_of(installed))
            if size:
                gone[installed.metadata["Name"].lower()] += size
                _record(installed)
    return gone


def _tests_of(installed: Distribution) -> Iterator[PurePath]:
    """What lies in a folder of tests inside of a package, not beside it."""
    for file in installed.files or ():
        inner = file.parts[1:-1]
        if TESTS.intersection(inner) and ".." not in file.parts:
            yield PurePath(*file.parts)


def _delete(folder: Path, file: PurePath) -> int:
    path = folder / file
    if not path.is_file():
        return 0
    size = path.lstat().st_size
    path.unlink()
    for parent in path.parents:
        if parent == folder or any(parent.iterdir()):
            break
        parent.rmdir()
    return size


def _record(installed: Distribution) -> None:
    """Keep the lines of the RECORD whose files are there."""
    (record,) = [each for each in installed.files or () if each.name == "RECORD"]
    path = Path(str(installed.locate_file(record)))
    with path.open(newline="") as read:
        rows = [
            row for row in csv.reader(read) if Path(str(installed.locate_file(row[0]))).exists()
        ]
    with path.open("w", newline="") as written:
        csv.writer(written, lineterminator="\n").writerows(rows)


def main(arguments: Sequence[str]) -> int:
    if len(arguments) != 1:
        print("usage: python -m infrastructure.docker.trim PREFIX", file=sys.stderr)
        return 2
    gone = trim(Path(arguments[0]))
    for name, size in gone.most_common():
        print(f"{size / 10**6:8.1f}  {name}")
    print(f"{gone.total() / 10**6:8.1f}  MB of tests left out")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
