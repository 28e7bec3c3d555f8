"""A slot gives an answer or says why there is none, and works again afterwards."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from services.training.queue.children import (
    ChildDied,
    ChildLimits,
    ChildRaised,
    Slot,
    fork_server,
)
from tests.process_life import all_end, children_of, runs
from tests.queue import made_work

PATIENCE = 60.0
MEMORY = 2**30


@pytest.fixture
async def slot() -> AsyncIterator[Slot]:
    opened = Slot(fork_server(["tests.queue.made_work"]), ChildLimits(memory_bytes=MEMORY))
    yield opened
    opened.close()


async def ask(
    slot: Slot,
    work: Callable[[Any, made_work.Report], Any],
    argument: Any = None,
    seconds: float = PATIENCE,
) -> Any:
    return await slot.run(work, argument, lambda _: None, seconds)


async def works_again(slot: Slot) -> bool:
    return await ask(slot, made_work.double, 21) == 42


async def test_a_child_answers_and_is_there_for_the_next_call(slot: Slot) -> None:
    first, _ = await ask(slot, made_work.session_of)
    second, _ = await ask(slot, made_work.session_of)
    assert first == second != os.getpid()


async def test_progress_comes_in_order_and_before_the_answer(slot: Slot) -> None:
    heard: list[str] = []
    answer = await slot.run(made_work.report_twice, ("a", "b"), heard.append, PATIENCE)
    assert (heard, answer) == (["a", "b"], "a b")


async def test_a_child_leads_a_session_and_yields_to_others(slot: Slot) -> None:
    child, session = await ask(slot, made_work.session_of)
    assert child == session
    assert await ask(slot, made_work.niceness) == os.nice(0) + ChildLimits().niceness
    assert await ask(slot, made_work.threads_of_numeric_libraries) == {"1"}
    assert not await ask(slot, made_work.ignores_termination)


async def test_what_the_work_raises_is_raised_and_the_child_stays(slot: Slot) -> None:
    before, _ = await ask(slot, made_work.session_of)
    with pytest.raises(ChildRaised, match="ValueError: no flour") as caught:
        await ask(slot, made_work.raise_value_error, "no flour")
    assert caught.value.kind == "ValueError"
    assert (await ask(slot, made_work.session_of))[0] == before


async def test_a_child_out_of_memory_says_so_and_the_machine_is_spared(slot: Slot) -> None:
    with pytest.raises(ChildRaised, match="MemoryError"):
        await ask(slot, made_work.take_memory, 2 * MEMORY)
    assert await works_again(slot)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM])
async def test_a_child_ended_by_a_signal_is_named_by_it(slot: Slot, number: signal.Signals) -> None:
    with pytest.raises(ChildDied, match=number.name) as caught:
        await ask(slot, made_work.end_by_signal, int(number))
    assert caught.value.cause == "signal"
    assert await works_again(slot)


async def test_a_child_that_leaves_is_named_by_its_status(slot: Slot) -> None:
    with pytest.raises(ChildDied, match="status 7") as caught:
        await ask(slot, made_work.leave, 7)
    assert caught.value.cause == "exit"
    assert await works_again(slot)


async def test_an_answer_that_cannot_be_sent_ends_the_call(slot: Slot) -> None:
    with pytest.raises(ChildDied):
        await ask(slot, made_work.answer_with_what_cannot_be_sent)
    assert await works_again(slot)


async def test_a_child_beyond_its_deadline_is_killed(slot: Slot) -> None:
    heard: list[int] = []
    await ask(slot, made_work.double, 1)
    with pytest.raises(ChildDied, match=r"did not answer in 0\.5 s") as caught:
        await slot.run(made_work.sleep, 60, heard.append, 0.5)
    assert caught.value.cause == "deadline"
    assert all_end(heard)
    assert await works_again(slot)


async def test_cancelling_kills_the_child_and_all_it_started(slot: Slot) -> None:
    started: asyncio.Future[tuple[int, int]] = asyncio.get_running_loop().create_future()
    call = asyncio.create_task(
        slot.run(made_work.sleep_with_a_grandchild, 60, started.set_result, PATIENCE)
    )
    child, grandchild = await started
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert not runs(child)
    assert all_end([grandchild])
    assert await works_again(slot)


async def test_a_call_that_failed_halfway_leaves_no_answer_for_the_next(slot: Slot) -> None:
    def fail(_: object) -> None:
        raise RuntimeError("the listener failed")

    with pytest.raises(RuntimeError):
        await slot.run(made_work.sleep, 0.2, fail, PATIENCE)
    assert await works_again(slot)


@pytest.mark.parametrize("turns", [0, 1, 2, 5])
def test_cancelling_while_the_child_is_started_harms_nobody(turns: int) -> None:
    """In a process of its own: a kill gone astray would hit its whole group."""
    script = f"""
import asyncio, time
from services.training.queue.children import ChildLimits, Slot, fork_server
from tests.queue import made_work

async def main():
    slot = Slot(fork_server(["tests.queue.made_work"]), ChildLimits())
    call = asyncio.create_task(slot.run(made_work.double, 1, print, 60))
    await asyncio.sleep({turns} * 0.02)
    call.cancel()
    await asyncio.wait([call])
    print(await slot.run(made_work.double, 21, print, 60))
    slot.close()

if __name__ == "__main__":
    asyncio.run(main())
"""
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, start_new_session=True, text=True
    )
    assert (ended.returncode, ended.stdout) == (0, "42\n"), ended.stderr


@pytest.mark.parametrize("stopped", [False, True])
def test_children_die_with_a_worker_that_is_killed(tmp_path: Path, stopped: bool) -> None:
    """One that was stopped can do nothing for its own end."""
    said = tmp_path / "pids.json"
    script = f"""
import asyncio, json, os, pathlib
from services.training.queue.children import ChildLimits, Slot, fork_server
from tests.queue import made_work

def tell(pids):
    whole = pathlib.Path({str(said)!r} + ".part")
    whole.write_text(json.dumps(pids))
    whole.rename({str(said)!r})

async def main():
    slot = Slot(fork_server([]), ChildLimits())
    await slot.run(made_work.sleep_with_a_grandchild, 300, tell, 600)

if __name__ == "__main__":
    asyncio.run(main())
"""
    worker = subprocess.Popen([sys.executable, "-c", script], start_new_session=True)
    try:
        while not said.exists():
            assert worker.poll() is None
            time.sleep(0.01)
        child, grandchild = json.loads(said.read_text())
        fork_servers = [pid for pid in children_of(worker.pid) if child in children_of(pid)]
        if stopped:
            os.kill(child, signal.SIGSTOP)
    finally:
        worker.kill()
        worker.wait()
    assert len(fork_servers) == 1
    assert all_end([child, grandchild, *fork_servers])


async def test_what_a_call_costs_is_processor_time_of_the_child_and_of_what_it_starts(
    slot: Slot,
) -> None:
    await ask(slot, made_work.double, 1)
    before = slot.cpu_seconds
    await ask(slot, made_work.sleep, 0.5)
    assert slot.cpu_seconds - before < 0.2
    await ask(slot, made_work.burn, 1.0)
    assert 0.9 < slot.cpu_seconds - before < 1.6


async def test_what_a_killed_child_used_is_not_forgotten(slot: Slot) -> None:
    burning = asyncio.get_running_loop().create_future()
    call = asyncio.create_task(
        slot.run(made_work.burn_for_ever, None, burning.set_result, PATIENCE)
    )
    await asyncio.wait({burning})
    call.cancel()
    await asyncio.wait({call})
    assert slot.cpu_seconds > 0.9  # the kernel counts in hundredths
    assert await works_again(slot)
