"""What a directory adds: durable before it counts, private, and whole or absent after a kill."""

import asyncio
import os
import signal
import subprocess
import sys
import tracemalloc
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path

import pytest

from shared.artifacts import ArtifactMissing, StoreUnavailable, open_store

OWNER = "bakery"
DATA = b"x" * 300_000
DIGEST = sha256(DATA).hexdigest()


def run(program: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments], stdout=subprocess.PIPE, text=True
    )


KILLED_AT_RENAME = """
import asyncio, os, signal, sys
from pathlib import Path
from shared.artifacts import open_store

def stop(event, arguments):
    if event == "os.rename":
        os.kill(os.getpid(), signal.SIGKILL)

store = open_store(Path(sys.argv[1]))
sys.addaudithook(stop)
asyncio.run(store.put("bakery", b"x" * 300_000))
"""


async def test_a_kill_between_write_and_rename_leaves_no_artifact(tmp_path: Path) -> None:
    killed = run(KILLED_AT_RENAME, str(tmp_path))
    assert killed.wait(60) == -signal.SIGKILL
    killed.communicate()

    store = open_store(tmp_path)
    with pytest.raises(ArtifactMissing):
        await store.get(OWNER, DIGEST)
    assert (await store.put(OWNER, DATA)).sha256 == DIGEST
    assert await store.get(OWNER, DIGEST) == DATA


ORDER_OF_CALLS = """
import asyncio, sys, threading
from pathlib import Path
from shared.artifacts import open_store

def note(frame, event, function):
    if event == "c_call" and function.__name__ in ("write", "fsync", "rename"):
        print(function.__name__)

store = open_store(Path(sys.argv[1]))
threading.setprofile(note)
asyncio.run(store.put("bakery", b"x"))
"""


def test_bytes_are_on_the_disk_before_the_name_and_the_name_before_the_answer(
    tmp_path: Path,
) -> None:
    (tmp_path / OWNER / sha256(b"x").hexdigest()[:2]).mkdir(parents=True)

    calls, _ = run(ORDER_OF_CALLS, str(tmp_path)).communicate(timeout=60)

    assert calls.split() == ["write", "fsync", "rename", "fsync"]


async def test_only_the_service_may_read_artifacts(tmp_path: Path) -> None:
    root = tmp_path / "artifacts"
    store = open_store(root)
    await store.put(OWNER, DATA)
    (root / OWNER / DIGEST[:2] / DIGEST).write_bytes(b"damaged")
    await store.quarantine(OWNER, DIGEST)
    await store.put(OWNER, DATA)

    for path in [root, *root.rglob("*")]:
        assert path.stat().st_mode & 0o777 == (0o600 if path.is_file() else 0o700), path


PUTS = """
import asyncio, sys
from pathlib import Path
from shared.artifacts import open_store

async def main():
    store = open_store(Path(sys.argv[1]))
    sys.stdin.readline()
    for number in range(40):
        data = bytes([number]) * 100_000
        artifact = await store.put("bakery", data)
        assert await store.get("bakery", artifact.sha256) == data

asyncio.run(main())
"""


async def test_two_processes_may_put_the_same_bytes_at_once(tmp_path: Path) -> None:
    pair = [
        subprocess.Popen(
            [sys.executable, "-c", PUTS, str(tmp_path)], stdin=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    for process in pair:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in pair:
        process.communicate(timeout=60)
        assert process.returncode == 0

    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) == 40
    assert all(sha256(path.read_bytes()).hexdigest() == path.name for path in files)


async def test_a_large_artifact_needs_little_memory(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    block, count = b"x" * 1024 * 1024, 48
    digest = sha256(block * count).hexdigest()

    async def blocks() -> AsyncIterator[bytes]:
        for _ in range(count):
            yield bytes(bytearray(block))

    tracemalloc.start()
    await store.put_stream(OWNER, blocks(), digest)
    async with store.open(OWNER, digest) as file:
        assert file.seek(0, os.SEEK_END) == count * len(block)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * len(block)


async def test_a_cancelled_stream_leaves_nothing(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    waiting = asyncio.Event()

    async def stalled() -> AsyncIterator[bytes]:
        yield DATA
        waiting.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(store.put_stream(OWNER, stalled(), DIGEST))
    await waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


async def test_a_directory_that_is_gone_is_unavailable_and_its_artifacts_are_not_missing(
    tmp_path: Path,
) -> None:
    root = tmp_path / "volume"
    store = open_store(root)
    root.rmdir()

    for call in (store.check(), store.get(OWNER, DIGEST), store.put(OWNER, DATA)):
        with pytest.raises(StoreUnavailable):
            await call


def test_a_directory_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a directory")

    with pytest.raises(StoreUnavailable, match="file"):
        open_store(tmp_path / "file" / "artifacts")
