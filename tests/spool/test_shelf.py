"""The disk keeps the order, the bounds, and nothing by halves."""

import multiprocessing
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from services.training.spool.batch import Damaged
from services.training.spool.shelf import LEAST_COUNTED, Shelf, ShelfFull, open_shelf
from tests.spool.made_batch import batch_of

TENANT, OTHER = UUID(int=1), UUID(int=2)
ROOMY = 10**9


def shelf_at(root: Path, most_bytes: int = ROOMY, most_tenant_bytes: int = ROOMY) -> Shelf:
    return open_shelf(root, most_bytes=most_bytes, most_tenant_bytes=most_tenant_bytes)


def test_batches_are_kept_in_their_order_and_read_as_they_were(tmp_path: Path) -> None:
    shelf = shelf_at(tmp_path)
    batches = [batch_of(TENANT, {"n": number}) for number in range(12)]
    for batch in batches:
        shelf.append(batch)
    assert [entry.read() for entry in shelf_at(tmp_path).waiting(TENANT)] == batches
    shelf.waiting(TENANT)[0].path.unlink()
    later = batch_of(TENANT)
    shelf.append(later)
    assert [entry.read() for entry in shelf.waiting(TENANT)] == [*batches[1:], later]
    assert shelf.waiting(OTHER) == []
    assert shelf.tenants() == [TENANT]


def append_many(root: Path, count: int) -> None:
    for _ in range(count):
        shelf_at(root).append(batch_of(TENANT))


def test_processes_that_append_at_once_get_places_of_their_own(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=append_many, args=(tmp_path, 20)) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    entries = shelf_at(tmp_path).waiting(TENANT)
    assert [entry.number for entry in entries] == list(range(1, 81))
    assert len({entry.read().header.receipt_id for entry in entries}) == 80


def test_the_bounds_hold_for_a_tenant_and_for_all_and_what_was_rejected_counts(
    tmp_path: Path,
) -> None:
    shelf = shelf_at(tmp_path, 5 * LEAST_COUNTED, 3 * LEAST_COUNTED)
    for _ in range(3):
        shelf.append(batch_of(TENANT))
    shelf.reject(shelf.waiting(TENANT)[0])
    with pytest.raises(ShelfFull, match="for one tenant"):
        shelf.append(batch_of(TENANT))
    for _ in range(2):
        shelf.append(batch_of(OTHER))
    with pytest.raises(ShelfFull, match="for all tenants"):
        shelf.append(batch_of(OTHER))
    assert (len(shelf.waiting(TENANT)), len(shelf.waiting(OTHER))) == (2, 2)
    shelf.rejected(TENANT)[0].path.unlink()
    shelf.append(batch_of(TENANT))


def test_a_large_batch_counts_by_its_bytes(tmp_path: Path) -> None:
    shelf = shelf_at(tmp_path, most_tenant_bytes=20_000)
    with pytest.raises(ShelfFull):
        shelf.append(batch_of(TENANT, {"text": "x" * 20_000}))
    assert shelf.waiting(TENANT) == []


def test_what_a_killed_process_left_half_written_is_no_batch_and_goes(tmp_path: Path) -> None:
    shelf = shelf_at(tmp_path)
    whole = shelf.append(batch_of(TENANT))
    data = whole.path.read_bytes()
    half = whole.path.with_name(f".{2:012d}-{uuid4().hex}-{len(data)}.batch.0123456789abcdef")
    half.write_bytes(data[: len(data) // 2])
    assert shelf.waiting(TENANT) == [whole]
    assert shelf_at(tmp_path).waiting(TENANT) == [whole]
    assert not half.exists()


def test_a_batch_cut_short_on_the_disk_is_not_read(tmp_path: Path) -> None:
    entry = shelf_at(tmp_path).append(batch_of(TENANT))
    os.truncate(entry.path, entry.bytes - 1)
    with pytest.raises(Damaged):
        entry.read()


def test_erasing_a_tenant_takes_all_of_it_and_of_no_other(tmp_path: Path) -> None:
    shelf = shelf_at(tmp_path)
    for tenant in (TENANT, TENANT, OTHER):
        shelf.append(batch_of(tenant))
    shelf.reject(shelf.waiting(TENANT)[0])
    assert shelf.erase(TENANT) == 2
    assert shelf.erase(TENANT) == 0
    assert not (tmp_path / str(TENANT)).exists()
    assert len(shelf.waiting(OTHER)) == 1


APPEND_UNTIL_FULL = """
import sys
from pathlib import Path
from tests.spool.made_batch import batch_of
from tests.spool.test_shelf import TENANT, shelf_at
shelf = shelf_at(Path(sys.argv[1]))
kept = 0
try:
    for kept in range(1000):
        shelf.append(batch_of(TENANT, {"text": "x" * int(sys.argv[2])}))
except OSError as error:
    held = [entry.read() for entry in shelf.waiting(TENANT)]
    left = [path.name for path in (shelf.root / str(TENANT)).iterdir() if path.name[0] == "."]
    print(error.strerror, kept == len(held), left)
"""


# Of a large batch the write fails, of a small one only the flush of what was buffered.
@pytest.mark.parametrize("size", [20_000, 3_000])
def test_on_a_full_disk_nothing_is_kept_by_halves(tmp_path: Path, size: int) -> None:
    """A file system of half a megabyte, in a namespace where we may mount one."""
    command = [sys.executable, "-c", APPEND_UNTIL_FULL, str(tmp_path), str(size)]
    mounted = f'mount -t tmpfs -o size=512k none {tmp_path} && exec "$@"'
    inside = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    if (
        shutil.which("unshare") is None
        or subprocess.run([*inside, mounted, "sh", "true"], capture_output=True).returncode
    ):
        pytest.skip("this machine mounts no file system for us")
    done = subprocess.run(
        [*inside, mounted, "sh", *command], capture_output=True, text=True, check=True
    )
    assert done.stdout.split("\n")[0] == "No space left on device True []"


@pytest.mark.parametrize("size", [20_000, 3_000])
def test_where_files_may_not_grow_nothing_is_kept_by_halves(tmp_path: Path, size: int) -> None:
    def little_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size // 2, size // 2))

    done = subprocess.run(
        [sys.executable, "-c", APPEND_UNTIL_FULL, str(tmp_path), str(size)],
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=little_room,
    )
    assert done.stdout.split("\n")[0] == "File too large True []"
