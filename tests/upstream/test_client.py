"""A call ends in JSON or in a named error, and is repeated only where it may be."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from shared.breaker import Breakers, BreakerTerms, State
from shared.upstream.client import UpstreamClient
from shared.upstream.errors import (
    UpstreamBusy,
    UpstreamError,
    UpstreamMalformed,
    UpstreamOpen,
    UpstreamRedirect,
    UpstreamStatus,
    UpstreamTimeout,
)
from tests.upstream.made_upstream import SECRET, TERMS, Answer, good, made_upstream


def one_after_the_other(*answers: Answer) -> Iterator[Answer]:
    """The last one for ever."""
    yield from answers
    while True:
        yield answers[-1]


async def test_a_get_sends_what_it_is_told_to_and_nothing_else(client: UpstreamClient) -> None:
    async with made_upstream(lambda asked: good({"ovens": [1, 2.5, None]})) as upstream:
        told = upstream.as_upstream(url=f"{upstream.url}/v1/")
        answer = await client.get(told, "/weather", {"city": "Köln & Umgebung"})
    assert answer == {"ovens": [1, 2.5, None]}
    [asked] = upstream.asked
    assert (asked.method, asked.path) == ("GET", "/v1/weather")
    assert asked.query == {"city": "Köln & Umgebung"}
    assert asked.headers["authorization"] == f"Bearer {SECRET}"
    assert asked.headers["accept-encoding"] == "gzip"
    assert "cookie" not in asked.headers


async def test_a_post_carries_json(client: UpstreamClient) -> None:
    async with made_upstream(lambda asked: good()) as upstream:
        assert (
            await client.post(upstream.as_upstream(), "orders", {"limit": 7}, idempotent=True)
            is None
        )
    assert upstream.asked[0].body == b'{"limit":7}'


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
async def test_what_may_pass_is_asked_again(client: UpstreamClient, status: int) -> None:
    answers = one_after_the_other(Answer(status), Answer(status), good("at last"))
    async with made_upstream(lambda asked: next(answers)) as upstream:
        assert await client.get(upstream.as_upstream(), "x", {}) == "at last"
    assert len(upstream.asked) == 3


async def test_after_three_attempts_it_is_over(client: UpstreamClient) -> None:
    async with made_upstream(lambda asked: Answer(503)) as upstream:
        with pytest.raises(UpstreamStatus, match="answered 503"):
            await client.get(upstream.as_upstream(), "x", {})
    assert len(upstream.asked) == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 422, 501])
async def test_what_will_not_pass_is_asked_once(client: UpstreamClient, status: int) -> None:
    async with made_upstream(lambda asked: Answer(status)) as upstream:
        with pytest.raises(UpstreamStatus) as refused:
            await client.get(upstream.as_upstream(), "x", {})
    assert refused.value.status == status
    assert len(upstream.asked) == 1


async def test_a_post_that_is_not_idempotent_is_sent_once(client: UpstreamClient) -> None:
    async with made_upstream(lambda asked: Answer(503)) as upstream:
        with pytest.raises(UpstreamStatus):
            await client.post(upstream.as_upstream(), "x", {}, idempotent=False)
        assert len(upstream.asked) == 1
        with pytest.raises(UpstreamStatus):
            await client.post(upstream.as_upstream(), "x", {}, idempotent=True)
    assert len(upstream.asked) == 4


async def test_of_many_calls_that_fail_at_most_a_tenth_is_repeated(client: UpstreamClient) -> None:
    async with made_upstream(lambda asked: Answer(503, headers={"Retry-After": "0"})) as upstream:
        for _ in range(20):
            calls = [client.get(upstream.as_upstream(), "x", {}) for _ in range(10)]
            ended = await asyncio.gather(*calls, return_exceptions=True)
            assert all(isinstance(one, UpstreamStatus) for one in ended)
    assert 200 + 15 <= len(upstream.asked) <= 200 * 1.1


async def test_what_was_asked_for_is_waited(client: UpstreamClient) -> None:
    answers = one_after_the_other(Answer(429, headers={"Retry-After": "1"}), good())
    began = time.monotonic()
    async with made_upstream(lambda asked: next(answers)) as upstream:
        await client.get(upstream.as_upstream(), "x", {})
    assert time.monotonic() - began >= 1


async def test_a_wait_that_goes_beyond_the_deadline_is_not_begun(client: UpstreamClient) -> None:
    async with made_upstream(lambda asked: Answer(429, headers={"Retry-After": "30"})) as upstream:
        deadline = time.monotonic() + 25
        async with asyncio.timeout(20):
            with pytest.raises(UpstreamStatus) as refused:
                await client.get(upstream.as_upstream(), "x", {}, deadline=deadline)
    assert refused.value.retry_after == 30
    assert len(upstream.asked) == 1


async def test_a_deadline_ends_a_call_that_hangs(client: UpstreamClient) -> None:
    async with made_upstream(lambda asked: Answer(pause=60)) as upstream:
        with pytest.raises(UpstreamTimeout):
            await client.get(upstream.as_upstream(), "x", {}, deadline=time.monotonic() + 0.2)
        with pytest.raises(UpstreamTimeout, match="no time was left"):
            await client.get(upstream.as_upstream(), "x", {}, deadline=time.monotonic() - 1)
    assert len(upstream.asked) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_is_followed(client: UpstreamClient, status: int) -> None:
    async with made_upstream(lambda asked: good("elsewhere")) as elsewhere:
        away = Answer(status, headers={"Location": f"{elsewhere.url}/here"})
        async with made_upstream(lambda asked: away) as upstream:
            with pytest.raises(UpstreamRedirect, match=str(status)):
                await client.get(upstream.as_upstream(), "x", {})
    assert elsewhere.asked == []
    assert len(upstream.asked) == 1


async def test_the_reason_is_told_in_one_short_line(client: UpstreamClient) -> None:
    said = b'{"error": true, "reason": "Parameter \'daily\' is\\n wrong \\u0007"}'
    async with made_upstream(lambda asked: Answer(400, said)) as upstream:
        with pytest.raises(UpstreamStatus) as refused:
            await client.get(upstream.as_upstream(), "x", {})
    assert refused.value.reason == "Parameter 'daily' is wrong"
    assert refused.value.upstream == f"127.0.0.1:{upstream.port}"


async def test_no_cookie_is_kept(client: UpstreamClient) -> None:
    setting = Answer(headers={"Set-Cookie": "tenant=other; Path=/"})
    async with made_upstream(lambda asked: setting) as upstream:
        for _ in range(2):
            await client.get(upstream.as_upstream(), "x", {})
    assert "cookie" not in upstream.asked[1].headers


def impatient() -> Breakers:
    return Breakers({"weather": BreakerTerms(3, 30)})


async def test_an_open_breaker_answers_without_the_network() -> None:
    async with (
        made_upstream(lambda asked: Answer(503)) as upstream,
        UpstreamClient(TERMS, impatient()) as client,
    ):
        with pytest.raises(UpstreamStatus):
            await client.get(upstream.as_upstream(), "x", {})
        for _ in range(50):
            with pytest.raises(UpstreamOpen, match="answered 503") as refused:
                await client.get(upstream.as_upstream(), "x", {})
            assert 0 < (refused.value.retry_after or 0) <= 30
    assert len(upstream.asked) == 3


@pytest.mark.parametrize(
    ("answer", "opens"),
    [
        (Answer(404), False),
        (Answer(401), False),
        (Answer(302), False),
        (Answer(408), True),
        (Answer(429), True),
        (Answer(500), True),
        (Answer(body=b"<html>"), True),
    ],
)
async def test_only_what_speaks_of_its_health_opens_a_breaker(answer: Answer, opens: bool) -> None:
    breakers = impatient()
    async with (
        made_upstream(lambda asked: answer) as upstream,
        UpstreamClient(TERMS, breakers) as client,
    ):
        for _ in range(12):
            with pytest.raises(UpstreamError):
                await client.get(upstream.as_upstream(), "x", {})
    [report] = breakers.reports()
    assert (report.state is State.OPEN) == opens
    assert (len(upstream.asked) == 3) == opens


async def test_callers_that_give_up_open_nothing() -> None:
    breakers = impatient()
    async with (
        made_upstream(lambda asked: Answer(pause=60)) as upstream,
        UpstreamClient(TERMS, breakers) as client,
    ):
        for number in range(6):
            call = asyncio.ensure_future(client.get(upstream.as_upstream(), "x", {}))
            while len(upstream.asked) <= number:
                await asyncio.sleep(0.01)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
    [report] = breakers.reports()
    assert (report.state, report.calls) == (State.CLOSED, 0)


async def test_a_probe_that_is_cancelled_leaves_its_place_to_the_next() -> None:
    answers = one_after_the_other(Answer(500), Answer(pause=60), good("well"))
    breakers = Breakers({"weather": BreakerTerms(1, 0.05)})
    async with (
        made_upstream(lambda asked: next(answers)) as upstream,
        UpstreamClient(TERMS, breakers) as client,
    ):
        with pytest.raises(UpstreamStatus):
            await client.post(upstream.as_upstream(), "x", {}, idempotent=False)
        await asyncio.sleep(0.06)
        probe = asyncio.ensure_future(client.get(upstream.as_upstream(), "x", {}))
        while len(upstream.asked) < 2:
            await asyncio.sleep(0.01)
        with pytest.raises(UpstreamOpen):
            await client.get(upstream.as_upstream(), "x", {})
        probe.cancel()
        await asyncio.gather(probe, return_exceptions=True)
        assert await client.get(upstream.as_upstream(), "x", {}) == "well"
    assert next(breakers.reports()).state is State.CLOSED


async def test_waiting_for_a_connection_of_ours_is_not_the_upstreams_fault() -> None:
    breakers, terms = impatient(), replace(TERMS, connections=1, pool_seconds=0.1)
    async with (
        made_upstream(lambda asked: Answer(pause=1)) as upstream,
        UpstreamClient(terms, breakers) as client,
    ):
        first = asyncio.ensure_future(client.get(upstream.as_upstream(), "x", {}))
        while not upstream.asked:
            await asyncio.sleep(0.01)
        with pytest.raises(UpstreamBusy, match="all its 1 connections"):
            await client.post(upstream.as_upstream(), "x", {}, idempotent=False)
        await first
    [report] = breakers.reports()
    assert (report.calls, report.failure_rate) == (1, 0)


async def test_one_that_hangs_holds_no_connection_of_another(client: UpstreamClient) -> None:
    async with (
        made_upstream(lambda asked: Answer(pause=60)) as hanging,
        made_upstream(lambda asked: good("bread")) as well,
    ):
        stuck = [
            asyncio.ensure_future(client.get(hanging.as_upstream("weather:hangs"), "x", {}))
            for _ in range(40)
        ]
        while len(hanging.asked) < TERMS.connections:
            await asyncio.sleep(0.01)
        answers = [await client.get(well.as_upstream("weather:well"), "x", {}) for _ in range(20)]
        for call in stuck:
            call.cancel()
        await asyncio.gather(*stuck, return_exceptions=True)
    assert answers == ["bread"] * 20


BAD = {
    "no JSON": b"<html>",
    "NaN": b'[{"temp_mean": NaN}]',
    "Infinity": b"[-Infinity]",
    "becomes infinite": b"[1e999]",
    "an endless integer": b"9" * 5000,
    "too deep": b"[" * 200_000,
    "not UTF-8": b'"\xff"',
    "nothing": b"",
}


@pytest.mark.parametrize("name", BAD)
async def test_what_is_no_json_is_malformed(client: UpstreamClient, name: str) -> None:
    async with made_upstream(lambda asked: Answer(body=BAD[name])) as upstream:
        with pytest.raises(UpstreamMalformed):
            await client.get(upstream.as_upstream(), "x", {})
    assert len(upstream.asked) == 1
