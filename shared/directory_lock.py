"""One process at a time in a directory."""

import fcntl
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

LOCK_FILE = "lock"
PATIENCE_SECONDS = 1.0


class DirectoryLocked(Exception):
    """Another process holds the directory; `pid` is None while it has not yet written its own."""

    def __init__(self, directory: Path, pid: int | None) -> None:
        self.directory = directory
        self.pid = pid
        holder = "another process" if pid is None else f"process {pid}"
        super().__init__(
            f"{directory} is in use by {holder}: stop that one first, or choose another directory"
        )


@dataclass(frozen=True, slots=True)
class DirectoryLock:
    """A held lock; the kernel lets go of it when the process ends, however it ends."""

    directory: Path
    file: BinaryIO

    @property
    def released(self) -> bool:
        return self.file.closed

    def release(self) -> None:
        """Let go; twice is no error."""
        self.file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def lock_directory(directory: Path, *, patience_seconds: float = PATIENCE_SECONDS) -> DirectoryLock:
    """Hold an existing directory for this process, by `flock` on the file `lock` inside it.

    The patience is for a holder that was killed a moment ago and has not quite ended. The file is
    never removed: who removed it would let a third process lock a new one beside the second.
    Raises DirectoryLocked, which names the holder.
    """
    path = directory / LOCK_FILE
    file = open(path, "r+b", buffering=0, opener=_open_or_create)  # noqa: SIM115 - held on
    if not _locked(file, time.monotonic() + patience_seconds):
        text = file.read()
        file.close()
        raise DirectoryLocked(directory, int(text) if text.strip() else None)
    file.truncate(0)
    file.write(f"{os.getpid()}\n".encode())
    return DirectoryLock(directory, file)


def _locked(file: BinaryIO, deadline: float) -> bool:
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        else:
            return True


def _open_or_create(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CREAT | os.O_CLOEXEC, 0o600)
