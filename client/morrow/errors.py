"""What can go wrong, with what is known of it. `MorrowError` is each of them."""

from collections.abc import Sequence
from typing import Any, Final

import httpx

from morrow.retry_after import seconds_of
from morrow.schemas.problems import Fault

PROBLEM: Final = "application/problem+json"
LONGEST_TOLD: Final = 300


class MorrowError(Exception):
    """`code` is a stable snake_case word, `detail` says what is wrong and the way out.

    `status`, `request_id` and `retry_after` (seconds) are those of the answer, where there was one;
    `errors` name the faults of the input, by field or row.
    """

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        status: int | None = None,
        errors: Sequence[Fault] = (),
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.status = status
        self.errors = list(errors)
        self.request_id = request_id
        self.retry_after = retry_after

    def __str__(self) -> str:
        told = f"{self.detail} ({self.code}" + (f", {self.status}" if self.status else "")
        return told + (f", request {self.request_id})" if self.request_id else ")")


class Refused(MorrowError):
    """The API answered that it will not, or cannot: see `status` and `code`."""


class Unreachable(MorrowError):
    """There was no answer. `taken`: the request may have been."""

    def __init__(self, url: str, reason: str, *, taken: bool) -> None:
        super().__init__("api_unreachable", f"no answer from {url} ({reason})")
        self.taken = taken


class GaveUp(MorrowError):
    """A job could not be watched on; `since` is the last event that was seen."""

    def __init__(self, code: str, detail: str, since: int) -> None:
        super().__init__(code, f"{detail}; go on with since={since}")
        self.since = since


class Damaged(MorrowError):
    """What was received is not what was promised; nothing of it was kept."""


def refusal(answer: httpx.Response) -> Refused:
    """The problem that was answered, or one in its manner where something else answered."""
    told: dict[str, Any] = {}
    if answer.headers.get("content-type", "").startswith(PROBLEM):
        told = _json_object(answer)
    if not told:
        return not_morrow(answer)
    return Refused(
        str(told.get("code", "unknown")),
        str(told.get("detail", answer.reason_phrase)),
        status=answer.status_code,
        errors=told.get("errors") or (),
        request_id=told.get("request_id"),
        retry_after=seconds_of(answer.headers.get("retry-after")),
    )


def not_morrow(answer: httpx.Response) -> Refused:
    """For an answer that the API would not have given: a proxy's, or a wrong address."""
    where = answer.url.copy_with(query=None)
    return Refused(
        "not_morrow",
        f"{where} answered {answer.status_code} and not as Morrow does, so it may be something "
        f"else: {answer.text[:LONGEST_TOLD]}",
        status=answer.status_code,
        retry_after=seconds_of(answer.headers.get("retry-after")),
    )


def _json_object(answer: httpx.Response) -> dict[str, Any]:
    try:
        told = answer.json()
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
