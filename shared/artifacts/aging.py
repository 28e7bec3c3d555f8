"""How old the files of a local store are, and removing old ones while others may put them again.

A file's age is its modification time, which every put renews. Removing renames the file first: a
put that comes then no longer finds it and writes it anew; one that came just before has renewed
what was renamed, which goes back to its place. So no put that has answered is ever undone, also
not by a sweep that was killed half way: the next one brings back or removes what it left.
"""

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from shared.artifacts.naming import SHA256

LEAVING = ".leaving."


def parts_of(directory: Path) -> list[Path]:
    """The directories of an owner's artifacts; quarantine is none."""
    if not directory.is_dir():
        return []
    return sorted(path for path in directory.iterdir() if path.is_dir() and len(path.name) == 2)


def digests_before(part: Path, moment: float) -> list[str]:
    """The artifacts in one directory that were last put before `moment`, seconds since 1970."""
    with os.scandir(part) as found:
        return sorted(
            entry.name
            for entry in found
            if SHA256.fullmatch(entry.name) and _put_at(Path(entry.path), moment) < moment
        )


def make_young(path: Path) -> bool:
    """Count the file as put just now; False where it has left its place meanwhile."""
    try:
        os.utime(path)
    except FileNotFoundError:
        return False
    return True


def remove_if_before(path: Path, moment: float) -> bool:
    """Remove the file unless it was put since `moment`; whether it was removed."""
    if _put_at(path, moment) >= moment:
        return False
    leaving = path.with_name(f"{LEAVING}{secrets.token_hex(8)}.{path.name}")
    try:
        path.rename(leaving)
    except FileNotFoundError:
        return False
    return _let_go(leaving, moment)


def tidy(directory: Path, moment: float) -> int:
    """Finish removals that broke off, and remove the partial files of puts that did before
    `moment`; how many of these there were."""
    count = 0
    for path in _hidden_files(directory):
        if path.name.startswith(LEAVING):
            _let_go(path, moment)
        elif _put_at(path, moment) < moment:
            path.unlink(missing_ok=True)
            count += 1
    return count


def _let_go(leaving: Path, moment: float) -> bool:
    renewed = _put_at(leaving, moment) >= moment
    if renewed:
        # Put anew meanwhile, with the same bytes; or another sweep has let it go.
        with contextlib.suppress(FileExistsError, FileNotFoundError):
            os.link(leaving, leaving.with_name(leaving.name.rpartition(".")[2]))
    leaving.unlink(missing_ok=True)
    return not renewed


def _put_at(path: Path, else_: float) -> float:
    """When the file was last put; `else_` where there is none any more."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return else_


def _hidden_files(directory: Path) -> Iterator[Path]:
    for part in parts_of(directory):
        yield from sorted(part.glob(".*"))
