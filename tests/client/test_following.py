"""Every event once and in order, whatever becomes of the streams."""

import asyncio
import contextlib
import dataclasses
import json
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from morrow import AsyncClient, Client, GaveUp, Refused
from morrow.following import follow
from morrow.following.server_sent import ServerSent
from tests.client.either import AT_ONCE, Either
from tests.client.event_log import EventLog, Fault, event
from tests.client.scripted import Answer, Scripted, problem

LAST = 8
PASSING = [429, 500, 502, 503, 504]
faults = st.one_of(
    st.builds(Fault, st.just("cut"), st.integers(0, 1200)),
    st.builds(Fault, st.just("end"), st.integers(0, LAST)),
    st.builds(Fault, st.just("status"), st.sampled_from(PASSING)),
    st.builds(Fault, st.just("again"), st.integers(1, LAST)),
    st.builds(Fault, st.just("gap"), st.integers(0, LAST)),
    st.builds(Fault, st.just("page")),
)


def seqs(events: Sequence[dict]) -> list[int]:
    return [each["seq"] for each in events]


@given(
    plan=st.lists(faults, max_size=4),
    since=st.integers(0, LAST),
    line=st.sampled_from(["\n", "\r\n", "\r"]),
)
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_every_event_comes_once_and_in_order(
    script: Scripted, either: Either, plan: list[Fault], since: int, line: str
) -> None:
    log = EventLog(LAST, plan, line)
    script.respond = log.respond
    events = either.do("events", "1", since=since)
    assert events == [event(seq, LAST) for seq in range(since + 1, LAST + 1)]


def test_a_stream_is_taken_up_after_the_last_event(script: Scripted, either: Either) -> None:
    log = EventLog(LAST, [Fault("end", 3), Fault("cut", 40), Fault("status", 503), Fault("end", 4)])
    script.respond = log.respond
    assert seqs(either.do("events", "1")) == list(range(1, LAST + 1))
    assert log.streams == [0, 3, 3, 3, 7]


def test_who_follows_may_be_told_why_it_takes_so_long(script: Scripted, either: Either) -> None:
    script.respond = EventLog(
        LAST, [Fault("status", 503), Fault("end", 2), Fault("cut", 0)]
    ).respond
    missed: list = []
    assert seqs(either.do("events", "1", missed=missed.append)) == list(range(1, LAST + 1))
    assert [error.code for error in missed] == ["some_reason", "api_unreachable"]


def test_what_was_seen_is_passed_over(script: Scripted, either: Either) -> None:
    log = EventLog(LAST, [Fault("end", 3), Fault("again", 2)])
    script.respond = log.respond
    assert seqs(either.do("events", "1")) == list(range(1, LAST + 1))
    assert log.streams == [0, 3]


def test_why_it_is_tried_again_is_told_and_a_stream_that_only_ends_is_no_fault(
    script: Scripted, either: Either
) -> None:
    script.respond = EventLog(
        LAST, [Fault("end", 3), Fault("cut", 40), Fault("status", 503)]
    ).respond
    missed: list = []
    assert seqs(either.do("events", "1", missed=missed.append)) == list(range(1, LAST + 1))
    assert [error.code for error in missed] == ["api_unreachable", "some_reason"]


def test_a_job_is_watched_by_its_id_or_as_it_was_answered(script: Scripted, either: Either) -> None:
    script.respond = EventLog(LAST).respond
    assert either.do("events", {"id": "1"}) == either.do("events", "1")
    assert {asked.path for asked in script.asked} == {"/api/v1/training-jobs/1/events"}


def test_of_a_job_that_has_ended_there_may_be_nothing_more(
    script: Scripted, either: Either
) -> None:
    script.respond = EventLog(LAST).respond
    assert either.do("events", "1", since=LAST) == []


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_an_answer_that_will_stay_ends_it(script: Scripted, either: Either, status: int) -> None:
    log = EventLog(LAST, [Fault("end", 3), Fault("status", status)])
    script.respond = log.respond
    with pytest.raises(Refused) as caught:
        either.do("events", "1")
    assert caught.value.status == status
    assert log.streams == [0, 3]


def test_patience_ends(script: Scripted, either: Either) -> None:
    script.answers = [problem(503, "database_unavailable", Retry_After="10")]
    with pytest.raises(GaveUp) as caught:
        either.do("events", "1", since=5, patience=9.0)
    assert (caught.value.code, caught.value.since) == ("stream_lost", 5)
    assert "since=5" in str(caught.value)
    assert len(script.asked) == 1


def test_nobody_there_is_borne_as_long_as_patience_lasts(either: Either) -> None:
    nobody = Either(either.kind, "http://127.0.0.1:1")
    with pytest.raises(GaveUp) as caught:
        nobody.do("events", "1", patience=0.2)
    assert "http://127.0.0.1:1" in caught.value.detail


def test_events_that_stay_missing_are_told(script: Scripted, either: Either) -> None:
    script.respond = EventLog(LAST, [Fault("gap", 0)] * 100).respond
    with pytest.raises(GaveUp, match="event 2 came after event 0"):
        either.do("events", "1")


async def test_a_stream_that_falls_silent_is_begun_anew(script: Scripted) -> None:
    """Its server may be gone without a word."""
    log = EventLog(LAST, [Fault("silence", 3)])
    script.respond = log.respond
    async with AsyncClient(script.url, "key", retries=AT_ONCE) as client:
        impatient = dataclasses.replace(client.link, silence=0.2)
        events = [each async for each in follow.events(impatient, "1")]
    assert seqs(events) == list(range(1, LAST + 1))
    assert log.streams == [0, 3]


def test_waiting_ends_with_the_job(script: Scripted, either: Either) -> None:
    script.respond = EventLog(LAST, [Fault("cut", 500), Fault("page")]).respond
    told: list = []
    assert either.do("wait", "1", told=told.append) == {"id": "1", "status": "succeeded"}
    assert seqs(told) == list(range(1, LAST + 1))


def test_waiting_ends_in_time(script: Scripted, either: Either) -> None:
    log = EventLog(LAST, [Fault("end", 0)] * 10_000)
    log.ended, log.last = False, 0
    script.respond = log.respond
    with pytest.raises(GaveUp) as caught:
        either.do("wait", "1", within=0.3)
    assert caught.value.code == "timed_out"


def test_who_stops_watching_lets_the_connection_go(script: Scripted) -> None:
    script.respond = EventLog(LAST).respond
    with Client(script.url, "key", retries=AT_ONCE) as client:
        with contextlib.closing(client.events("1")) as events:
            assert next(events)["seq"] == 1
        pool = client.link.wire.http._transport._pool  # type: ignore[union-attr]
        assert [each for each in pool.connections if not each.is_idle()] == []


async def test_who_stops_watching_in_a_loop_lets_the_connection_go(script: Scripted) -> None:
    script.respond = EventLog(LAST).respond
    async with AsyncClient(script.url, "key", retries=AT_ONCE) as client:
        async with contextlib.aclosing(client.events("1")) as events:
            assert (await anext(events))["seq"] == 1
        pool = client.link.wire.http._transport._pool  # type: ignore[union-attr]
        assert [each for each in pool.connections if not each.is_idle()] == []


def test_a_client_may_watch_inside_a_running_loop(script: Scripted) -> None:
    """As in a notebook."""
    script.respond = EventLog(LAST).respond

    async def cell() -> list[int]:
        with Client(script.url, "key") as client:
            return [each["seq"] for each in client.events("1")]

    assert asyncio.run(cell()) == list(range(1, LAST + 1))


lines = st.lists(
    st.sampled_from(
        ["data: a", "data:b", "data", "data:  c", ": note", "id: 7", "event: x", "é: ü"]
    )
    | st.just(""),
    max_size=20,
)


def read(text: str) -> list[str]:
    """Server-sent events by the letter of the standard, of a whole text."""
    told, data = [], []
    for line in text.split("\n")[:-1]:
        if not line:
            if data:
                told.append("\n".join(data))
            data = []
        elif not line.startswith(":"):
            name, _, value = line.partition(":")
            if name == "data":
                data.append(value.removeprefix(" "))
    return [each for each in told if each]


@given(lines=lines, end=st.sampled_from(["\n", "\r\n", "\r"]), data=st.data())
@settings(deadline=None)
def test_messages_are_the_same_however_their_bytes_are_cut(
    lines: list[str], end: str, data: st.DataObject
) -> None:
    stream = "".join(line + end for line in [*lines, "data: last", "", ": so that no line waits"])
    whole, parser, told = stream.encode(), ServerSent(), []
    while whole:
        size = data.draw(st.integers(1, len(whole)))
        told += parser.feed(whole[:size])
        whole = whole[size:]
    assert told == read(stream.replace(end, "\n"))


def test_a_message_may_hold_what_other_texts_take_for_the_end_of_a_line() -> None:
    body = json.dumps({"message": "a\u2028b\u0085c\x0bd"}, ensure_ascii=False)
    assert ServerSent().feed(f"data: {body}\n\n".encode()) == [body]


def test_an_answer_that_is_no_stream_is_no_event(script: Scripted, either: Either) -> None:
    script.answers = [Answer(404, b"<html>", media_type="text/html")]
    with pytest.raises(Refused) as caught:
        either.do("events", "1")
    assert caught.value.code == "not_morrow"
