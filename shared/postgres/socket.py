"""The private directory of the server's Unix socket."""

import hashlib
import os
import shutil
import stat
from pathlib import Path

from shared.postgres.errors import PostgresUnavailable

PORT = 5432
SOCKET_PATH_LIMIT = 107
"""Bytes of `sun_path` less its terminating NUL (unix(7))."""


class SocketPathTooLong(PostgresUnavailable):
    def __init__(self, directories: tuple[Path, ...]) -> None:
        self.directories = directories
        super().__init__(
            f"a Unix socket path has at most {SOCKET_PATH_LIMIT} bytes and none of these leaves "
            f"room for it: {', '.join(map(str, directories))}; choose a shorter data directory"
        )


def socket_path(directory: Path) -> Path:
    return directory / f".s.PGSQL.{PORT}"


def make_socket_directory(data_dir: Path, short_root: Path) -> Path:
    """An empty directory of mode 0700: `run` in the data directory if its path is short enough.

    Otherwise one below `short_root`, named after the data directory so that a later start finds
    and empties it. Whatever an earlier server left there is removed: the caller has made sure
    that none is running. Raises SocketPathTooLong, and PermissionError if the short one belongs
    to somebody else.
    """
    name = hashlib.sha256(os.fsencode(data_dir.resolve())).hexdigest()[:16]
    candidates = (data_dir.resolve() / "run", short_root / f"morrow-{os.geteuid()}-{name}")
    for directory in candidates:
        if len(os.fsencode(socket_path(directory))) <= SOCKET_PATH_LIMIT:
            return _emptied(directory)
    raise SocketPathTooLong(candidates)


def _emptied(directory: Path) -> Path:
    if os.path.lexists(directory):
        _refuse_stranger(directory)
        shutil.rmtree(directory)
    directory.mkdir(mode=0o700)
    return directory


def _refuse_stranger(directory: Path) -> None:
    """Below a folder that all may write to, somebody else may have made the name first."""
    status = directory.lstat()
    ours = os.geteuid() in (0, status.st_uid)
    if not (stat.S_ISDIR(status.st_mode) and ours and status.st_mode & 0o077 == 0):
        raise PermissionError(
            f"{directory} is not a private directory of user {os.geteuid()}: remove it, or choose "
            "a shorter data directory"
        )
