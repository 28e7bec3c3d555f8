"""A file that is not there until it is whole."""

import hashlib
import os
import secrets
from pathlib import Path
from typing import BinaryIO


class PartialFile:
    """Bytes on their way to `path`: nothing is seen there before `keep`, all of it after.

    `keep` returns once the bytes and the name are on the disk. `discard` ends it either way, and
    leaves nothing behind but what was kept.
    """

    def __init__(self, path: Path, root: Path) -> None:
        _make_directories(path.parent, root)
        self.path = path
        self.size = 0
        self._digest = hashlib.sha256()
        self._temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self._file: BinaryIO = os.fdopen(os.open(self._temporary, flags, 0o600), "wb")

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def write(self, chunk: bytes) -> None:
        self._file.write(chunk)
        self._digest.update(chunk)
        self.size += len(chunk)

    def keep(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._temporary.rename(self.path)
        fsync_directory(self.path.parent)

    def discard(self) -> None:
        try:
            self._file.close()  # on a full disk this fails too, with what is still buffered
        finally:
            self._temporary.unlink(missing_ok=True)


def fsync_directory(directory: Path) -> None:
    """Put the names in `directory` on the disk."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _make_directories(directory: Path, root: Path) -> None:
    if directory == root or directory.is_dir():
        return
    _make_directories(directory.parent, root)
    directory.mkdir(mode=0o700, exist_ok=True)
    fsync_directory(directory.parent)
