"""The batches of all tenants on the disk, shared by every API process of the host.

root/appending                     held by whoever adds a batch
root/replaying                     held by whoever replays
root/<tenant>/<number>-<receipt>-<bytes>.batch
root/<tenant>/rejected/…           what was refused when it was replayed, until its tenant says so

One directory for all processes, because the order of a tenant's batches is one order, and because
what a dead process left is then simply there.
"""

import datetime as dt
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

from services.training.spool.batch import LONGEST_HEADER, Batch, Damaged, Header, header_of
from services.training.spool.turn import turn
from shared.artifacts.partial_file import PartialFile, fsync_directory

NAME: Final = re.compile(r"(?P<number>\d{12})-(?P<receipt>[0-9a-f]{32})-(?P<bytes>\d+)\.batch")
TENANT: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
REJECTED: Final = "rejected"
LEAST_COUNTED: Final = 4096
"""A batch takes at least a block of the disk, so a bound on bytes bounds the number as well."""


class ShelfFull(Exception):
    """There is no room for a batch; `whose` bound it is."""

    def __init__(self, whose: str, held: int, more: int, most: int) -> None:
        self.whose = whose
        super().__init__(f"{held} bytes wait and {more} more are over {most} for {whose}")


@dataclass(frozen=True, slots=True)
class Entry:
    """A batch on the disk; lower numbers came first."""

    path: Path
    number: int
    receipt_id: UUID
    bytes: int

    def read(self) -> Batch:
        """The whole batch. Raises `Damaged`, and FileNotFoundError once it was replayed."""
        data = self.path.read_bytes()
        if len(data) != self.bytes:
            raise Damaged(f"{len(data)} bytes instead of {self.bytes}")
        return Batch.from_bytes(data)

    def header(self) -> Header:
        """Just its header, or of a damaged file what its name and age still tell. Raises
        FileNotFoundError once it was replayed."""
        with self.path.open("rb") as file:
            written_at = os.fstat(file.fileno()).st_mtime
            start = file.read(LONGEST_HEADER)
        try:
            return header_of(start)
        except Damaged:
            return Header(
                receipt_id=self.receipt_id,
                tenant_id=UUID(self.path.parent.name),
                kind="unknown",
                media_type=None,
                received_at=dt.datetime.fromtimestamp(written_at, dt.UTC),
                rows=0,
            )


@dataclass(frozen=True, slots=True)
class Tally:
    """What waits in all; `oldest_at` in seconds since 1970."""

    batches: int
    bytes: int
    rejected: int
    oldest_at: float | None


@dataclass(frozen=True, slots=True)
class Shelf:
    """The batches below `root`, at most `most_bytes` in all and `most_tenant_bytes` a tenant."""

    root: Path
    most_bytes: int
    most_tenant_bytes: int

    def append(self, batch: Batch) -> Entry:
        """Put it last; it is on the disk when this returns. Raises `ShelfFull` and OSError, and
        then nothing of it is kept."""
        directory = self.root / str(batch.header.tenant_id)
        with turn(self.root / "appending", wait=True):
            size = sum(len(part) for part in batch.parts())
            self._require_room(directory, size)
            _sweep(directory)
            last = max((entry.number for entry in _entries(directory)), default=0)
            name = f"{last + 1:012d}-{batch.header.receipt_id.hex}-{size}.batch"
            _write(directory / name, self.root, batch)
            return Entry(directory / name, last + 1, batch.header.receipt_id, size)

    def waiting(self, tenant_id: UUID) -> list[Entry]:
        """The batches of a tenant, in their order."""
        return sorted(_entries(self.root / str(tenant_id)), key=lambda entry: entry.number)

    def rejected(self, tenant_id: UUID) -> list[Entry]:
        """What of a tenant was refused, in its order."""
        directory = self.root / str(tenant_id) / REJECTED
        return sorted(_entries(directory), key=lambda entry: entry.number)

    def is_empty(self, tenant_id: UUID) -> bool:
        return next(_entries(self.root / str(tenant_id)), None) is None

    def tenants(self) -> list[UUID]:
        """Those with a batch that waits."""
        return [
            UUID(directory.name)
            for directory in sorted(self.directories())
            if next(_entries(directory), None) is not None
        ]

    def reject(self, entry: Entry) -> None:
        """Set it aside: it no longer waits, and is not gone."""
        aside = entry.path.parent / REJECTED
        aside.mkdir(mode=0o700, exist_ok=True)
        entry.path.replace(aside / entry.path.name)
        fsync_directory(aside)

    def erase(self, tenant_id: UUID) -> int:
        """Remove all of a tenant; how many batches it had."""
        directory = self.root / str(tenant_id)
        with turn(self.root / "appending", wait=True):
            if not directory.is_dir():
                return 0
            count = sum(1 for _ in _kept(directory))
            shutil.rmtree(directory)
            fsync_directory(self.root)
        return count

    def tally(self) -> Tally:
        waiting = [entry for directory in self.directories() for entry in _entries(directory)]
        rejected = sum(
            1 for directory in self.directories() for _ in _entries(directory / REJECTED)
        )
        times = [at for entry in waiting if (at := _written_at(entry)) is not None]
        size = sum(entry.bytes for entry in waiting)
        return Tally(len(waiting), size, rejected, min(times, default=None))

    def directories(self) -> Iterator[Path]:
        """One for each tenant that ever had a batch."""
        return (path for path in self.root.iterdir() if TENANT.fullmatch(path.name))

    def _require_room(self, directory: Path, more: int) -> None:
        held = sum(counted(entry.bytes) for entry in _kept(directory))
        if held + counted(more) > self.most_tenant_bytes:
            raise ShelfFull("one tenant", held, more, self.most_tenant_bytes)
        held = sum(counted(entry.bytes) for path in self.directories() for entry in _kept(path))
        if held + counted(more) > self.most_bytes:
            raise ShelfFull("all tenants", held, more, self.most_bytes)


def open_shelf(root: Path, *, most_bytes: int, most_tenant_bytes: int) -> Shelf:
    """The shelf below `root`, made if need be. Raises OSError where that is not possible."""
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    shelf = Shelf(root, most_bytes, most_tenant_bytes)
    with turn(root / "appending", wait=True):
        for directory in shelf.directories():
            _sweep(directory)
    return shelf


def counted(size: int) -> int:
    """What a batch of `size` bytes counts against the bounds."""
    return max(size, LEAST_COUNTED)


def _kept(directory: Path) -> Iterator[Entry]:
    yield from _entries(directory)
    yield from _entries(directory / REJECTED)


def _entries(directory: Path) -> Iterator[Entry]:
    try:
        names = os.listdir(directory)
    except FileNotFoundError:
        return
    for name in names:
        found = NAME.fullmatch(name)
        if found is not None:
            number, size = int(found["number"]), int(found["bytes"])
            yield Entry(directory / name, number, UUID(found["receipt"]), size)


def _write(path: Path, root: Path, batch: Batch) -> None:
    partial = PartialFile(path, root)
    try:
        for part in batch.parts():
            partial.write(part)
        partial.keep()
    except OSError:
        path.unlink(missing_ok=True)  # its name may not have reached the disk: not acknowledged
        raise
    finally:
        partial.discard()


def _sweep(directory: Path) -> None:
    """Remove what processes that were killed in mid-write left. Only to be called in one's turn."""
    if directory.is_dir():
        for partial in directory.glob(".*"):
            partial.unlink(missing_ok=True)


def _written_at(entry: Entry) -> float | None:
    try:
        return entry.path.stat().st_mtime
    except FileNotFoundError:  # replayed meanwhile
        return None
