"""Spans as they are sent to a collector, of work that a test decides."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from services.training.queue.task import ClaimedTask, Snooze
from shared.tracing import carried, header, log_ids, note, past, send_rest, span
from shared.tracing.collected import collected
from shared.tracing.delivery import MOST_WAITING
from shared.tracing.spans import heard_by
from shared.tracing.traceparent import Place, place_in
from tests.conftest import Database
from tests.queue.conftest import queue, tenant_id
from tests.queue.real_queue import EXPIRED, Queue
from tests.queue.test_runner import Bakery, do_nothing, lane, settled
from tests.tracing.collector import Collector, collecting

__all__ = ["queue", "tenant_id"]

ELSEWHERE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
Hear = Callable[..., AbstractContextManager[None]]


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as opened:
        yield opened


@pytest.fixture
def hear(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> Hear:
    """Everything is told to the collector, at the latest when the context ends."""
    for name, value in collector.environment.items():
        monkeypatch.setenv(name, value)

    @contextmanager
    def heard(flush_seconds: float = 60) -> Iterator[None]:
        with heard_by(collected("test", "1", flush_seconds)):
            yield

    return heard


def lost(reason: str) -> float:
    return REGISTRY.get_sample_value("morrow_spans_dropped_total", {"reason": reason}) or 0.0


async def test_each_run_of_a_task_is_a_span_of_the_same_trace(
    hear: Hear, collector: Collector, queue: Queue, tenant_id: UUID, database: Database
) -> None:
    async def snooze_once(task: ClaimedTask) -> None:
        if len(bakery.ran) == 1:
            raise Snooze(0.01, "not yet")

    bakery = Bakery(queue, snooze_once)
    with hear():
        with span("asked"):
            task_id = await queue.put_one(tenant_id)
        await queue.claim_one(lease=EXPIRED)
        async with lane(database, bakery):
            await settled(queue, tenant_id, task_id, "succeeded")
    [put_in] = collector.named("enqueue")
    runs = [run for run in collector.within(put_in) if run.name == "task bake"]
    told = [
        (run.attributes["morrow.task.attempt"], run.attributes["morrow.task.ended"]) for run in runs
    ]
    assert told == [(2, "snoozed"), (2, "finished")]
    assert {span.trace for span in collector.spans} == {put_in.trace}


async def test_what_a_task_puts_in_goes_on_with_what_it_goes_on_with_itself(
    hear: Hear, collector: Collector, queue: Queue, tenant_id: UUID, database: Database
) -> None:
    async def put_another_in(task: ClaimedTask) -> None:
        if len(bakery.ran) == 1:
            await queue.put_one(tenant_id)

    bakery = Bakery(queue, put_another_in)
    with hear():
        first = await queue.put_one(tenant_id)
        async with lane(database, bakery):
            await settled(queue, tenant_id, first, "succeeded")
            await settled(queue, tenant_id, bakery.ran[-1].claim.id, "succeeded")
            while len(bakery.ran) < 2:
                await asyncio.sleep(0.01)
            await settled(queue, tenant_id, bakery.ran[-1].claim.id, "succeeded")
    put_in = min(collector.named("enqueue"), key=lambda each: each.began)
    assert [run.parent for run in collector.named("task bake")] == [put_in.id, put_in.id]


async def test_a_task_of_before_there_was_a_collector_is_a_trace_of_its_own(
    hear: Hear, collector: Collector, queue: Queue, tenant_id: UUID, database: Database
) -> None:
    task_id = await queue.put_one(tenant_id)
    assert (await queue.row(tenant_id, task_id)).trace is None
    with hear():
        async with lane(database, Bakery(queue, do_nothing)):
            await settled(queue, tenant_id, task_id, "succeeded")
    [run] = collector.named("task bake")
    assert run.parent == ""


def test_an_error_is_told_by_its_type_and_not_by_what_it_says(
    hear: Hear, collector: Collector
) -> None:
    with hear():
        for error in (ValueError("a tenant's figures"), asyncio.CancelledError("secret")):
            with pytest.raises(type(error)), span("work"):
                raise error
    failed, cancelled = collector.named("work")
    assert (failed.failed, failed.attributes) == (True, {"error.type": "ValueError"})
    assert (cancelled.failed, cancelled.attributes) == (False, {"error.type": "CancelledError"})
    assert not [raw for raw in collector.raw if b"figures" in raw or b"secret" in raw]


def test_what_is_over_lies_within_what_is_not(hear: Hear, collector: Collector) -> None:
    with hear(), span("outer"):
        began = time.monotonic()
        past("before", began, time.monotonic())
    [outer], [inner] = collector.named("outer"), collector.named("before")
    assert outer.began <= inner.began <= inner.ended <= outer.ended


def test_a_span_that_has_ended_takes_no_more(hear: Hear, collector: Collector) -> None:
    with hear(), span("handshake") as told:
        told.end()
        told.note({"late": True})
        note({"late": True})
        told.call("later")
    [handshake] = collector.spans
    assert (handshake.name, handshake.attributes) == ("handshake", {})


@pytest.mark.parametrize("sampler", ["always_off", "parentbased_always_off"])
def test_who_calls_does_not_decide_what_is_kept(
    hear: Hear, collector: Collector, monkeypatch: pytest.MonkeyPatch, sampler: str
) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", sampler)
    with hear(), span("request", beside=ELSEWHERE):
        kept = place_in(carried())
        assert kept is not None
        assert not kept.sampled
        assert log_ids() == {}
    assert collector.spans == []


def test_what_was_not_kept_in_one_process_is_not_kept_in_the_next(
    hear: Hear, collector: Collector
) -> None:
    with hear():
        with span("task", parent=ELSEWHERE[:-1] + "0"):
            assert carried() == ELSEWHERE[:-1] + "0"
        with span("task", parent=ELSEWHERE):
            assert carried() == ELSEWHERE
            assert (header() or "").startswith(ELSEWHERE[:36])
        assert carried() is None
    [kept] = collector.spans
    assert f"{kept.trace}-{kept.parent}" in ELSEWHERE


def test_spans_that_the_collector_refuses_are_counted_and_said_once(
    hear: Hear, collector: Collector, caplog: pytest.LogCaptureFixture
) -> None:
    collector.status = 400
    before = lost("not_taken")
    with hear():
        for _ in range(3):
            with span("work"):
                pass
            while not collector.headers:
                threading.Event().wait(0.01)
            collector.headers.clear()
    assert lost("not_taken") - before == 3
    assert [record.msg["event"] for record in caplog.records] == ["spans_not_taken"]  # type: ignore[index]


def test_a_collector_that_hangs_costs_spans_and_nothing_else(
    hear: Hear, collector: Collector
) -> None:
    full, ended, more = lost("queue_full"), lost("ended"), 100
    collector.hangs.set()
    with hear(0.2):
        for _ in range(MOST_WAITING + more):
            with span("work"):
                pass
        assert lost("queue_full") - full == more
        send_rest()  # comes back, although the collector does not
        assert lost("ended") - ended == MOST_WAITING
        collector.hangs.clear()


def test_a_place_is_read_as_it_is_written() -> None:
    assert str(place_in(ELSEWHERE)) == ELSEWHERE
    assert place_in(ELSEWHERE.replace("00-", "cc-", 1) + "-more") is not None


@given(st.one_of(st.none(), st.text(), st.from_regex(r"\A[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}")))
def test_whatever_is_sent_for_a_place_is_one_or_none(text: str | None) -> None:
    assert isinstance(place_in(text), Place | None)


@pytest.mark.parametrize(
    "text",
    [
        ELSEWHERE + "-more",
        ELSEWHERE.replace("00-", "ff-", 1),
        ELSEWHERE.upper(),
        ELSEWHERE + "\n",
        "00-" + "0" * 32 + "-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-" + "0" * 16 + "-01",
        ELSEWHERE.replace("00-", "01-", 1) + "-" + "x" * 10_000,
    ],
)
def test_what_is_no_place_is_none(text: str) -> None:
    assert place_in(text) is None
