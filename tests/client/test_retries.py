"""When a call is sent again, and when it is not."""

import datetime as dt
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from morrow import MorrowError, Refused, Retries, Unreachable
from morrow.call import Again
from morrow.retries import may_pass
from morrow.retry_after import seconds_of
from tests.client.either import Either
from tests.client.scripted import Answer, Scripted, problem

BUSY = problem(503, "database_unavailable", Retry_After="0")
LIMITED = problem(429, "too_many_requests", Retry_After="0")
CUT = Answer(body=b'{"id":', cut=True)
HUNG_UP = Answer(hung_up=True)
GOOD = Answer(body=b'{"id": "1"}')


@pytest.mark.parametrize(
    "fault", [BUSY, LIMITED, CUT, HUNG_UP, problem(502, "x"), problem(504, "x")]
)
@pytest.mark.parametrize(
    ("operation", "args", "kwargs"),
    [
        ("get_job", ["1"], {}),
        ("put_product", ["rye"], {"price": 2.0}),
        ("cancel_job", ["1"], {}),
        ("create_job", [], {}),
    ],
)
def test_what_passes_is_tried_again(
    script: Scripted, either: Either, fault: Answer, operation: str, args: list[str], kwargs: dict
) -> None:
    script.answers = [fault, fault, GOOD]
    assert either.do(operation, *args, **kwargs) == {"id": "1"}
    assert len(script.asked) == 3


def test_every_attempt_of_a_job_has_the_same_key_and_every_job_its_own(
    script: Scripted, either: Either
) -> None:
    script.answers = [HUNG_UP, problem(409, "idempotency_key_in_use"), GOOD]
    either.do("create_job")
    either.do("create_job")
    either.do("create_job", idempotency_key="mine")
    keys = [asked.headers["idempotency-key"] for asked in script.asked]
    assert len(keys) == 5
    assert len(set(keys[:3])) == 1
    assert keys[2] != keys[3]
    assert keys[4] == "mine"


@pytest.mark.parametrize("fault", [CUT, HUNG_UP, BUSY, problem(504, "deadline_exceeded")])
def test_what_may_have_been_done_is_not_done_twice(
    script: Scripted, either: Either, fault: Answer
) -> None:
    script.answers = [fault, GOOD]
    with pytest.raises((Unreachable, Refused)):
        either.do("create_key", "till", ["ingest"])
    assert len(script.asked) == 1


def test_what_was_surely_not_taken_is_sent_again(script: Scripted, either: Either) -> None:
    script.answers = [LIMITED, GOOD]
    assert either.do("create_key", "till", ["ingest"]) == {"id": "1"}


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 422, 500, 501])
def test_what_stays_is_told_at_once(script: Scripted, either: Either, status: int) -> None:
    script.answers = [problem(status, "some_reason"), GOOD]
    with pytest.raises(Refused) as caught:
        either.do("get_job", "1")
    assert (caught.value.status, caught.value.code) == (status, "some_reason")
    assert caught.value.request_id == "r1"
    assert len(script.asked) == 1


def test_attempts_end(script: Scripted, either: Either) -> None:
    script.answers = [BUSY]
    with pytest.raises(Refused) as caught:
        either.do("get_job", "1")
    assert caught.value.status == 503
    assert len(script.asked) == either.retries.attempts


def test_who_is_asked_to_wait_for_long_is_told_so(script: Scripted, either: Either) -> None:
    script.answers = [problem(429, "quota_used", Retry_After="3600"), GOOD]
    with pytest.raises(Refused) as caught:
        either.do("import_sales", [{"date": "2025-01-01", "product": "rye", "quantity": 1}])
    assert caught.value.retry_after == 3600
    assert len(script.asked) == 1


def test_what_an_attempt_has_ended_is_ended(script: Scripted, either: Either) -> None:
    """The answer to the first was lost, so the second finds nothing to end."""
    script.answers = [HUNG_UP, problem(404, "api_key_not_found")]
    assert either.do("revoke_key", "1") is None
    with pytest.raises(Refused):
        either.do("revoke_key", "2")


def test_nobody_there_is_unreachable(either: Either) -> None:
    nobody = Either(either.kind, "http://127.0.0.1:1")
    with pytest.raises(Unreachable) as caught:
        nobody.do("create_tenant", "Bakery", country="DE", timezone="Europe/Berlin")
    assert not caught.value.taken
    assert "http://127.0.0.1:1" in str(caught.value)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(body=b"<html>hello", media_type="text/html"),
        Answer(404, b"<html>no such host", media_type="text/html"),
        Answer(302, b"", {"Location": "/login"}),
        Answer(500, b"[]", media_type="application/problem+json"),
        Answer(500, b"{", media_type="application/problem+json"),
    ],
)
def test_who_is_not_morrow_is_told_apart(script: Scripted, either: Either, answer: Answer) -> None:
    script.answers = [answer]
    with pytest.raises(Refused) as caught:
        either.do("get_job", "1")
    assert caught.value.code == "not_morrow"


def test_the_key_is_in_no_message(script: Scripted, either: Either) -> None:
    secret = Either(either.kind, script.url, key="mrw_secret")
    script.answers = [problem(401, "unauthorized")]
    with pytest.raises(Refused) as caught:
        secret.do("get_job", "1")
    assert script.asked[0].headers["authorization"] == "Bearer mrw_secret"
    assert "mrw_secret" not in f"{caught.value!r} {caught.value} {vars(caught.value)}"


@given(
    attempt=st.integers(1, 200),
    asked=st.floats(0, 30),
    chance=st.floats(0, 1),
)
def test_a_pause_is_what_was_asked_for_and_up_to_its_limit_of_chance(
    attempt: int, asked: float, chance: float
) -> None:
    retries = Retries(attempts=1000, first_pause=0.5, longest_pause=8)
    error = Refused("busy", "no", status=503, retry_after=asked)
    pause = retries.pause(attempt, error, Again.SAFE, lambda: chance)
    assert pause is not None
    limit = min(8, 0.5 * 2 ** (attempt - 1))
    assert math.isclose(pause, asked + limit * chance)


@pytest.mark.parametrize("again", list(Again))
def test_an_error_of_another_kind_never_passes(again: Again) -> None:
    assert not may_pass(MorrowError("damaged", "no"), again)


NOW = dt.datetime(2026, 11, 22, 12, 0, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("field", "seconds"),
    [
        (None, None),
        ("5", 5.0),
        ("0.5", 0.5),
        ("Sun, 22 Nov 2026 12:00:30 GMT", 30.0),
        ("Sun, 22 Nov 2026 11:00:00 GMT", 0.0),
        ("soon", None),
        ("-3", None),
        ("nan", None),
        ("inf", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(field: str | None, seconds: float | None) -> None:
    assert seconds_of(field, NOW) == seconds
