"""Why a command's work failed: in words for people, and as a value for machines."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NotRequired, TypedDict

from morrow import MorrowError, Unreachable
from morrow.schemas.problems import Fault


class Problem(TypedDict):
    """What machines are told: an RFC 9457 problem as the API answers it, or one in its manner."""

    code: str
    detail: str
    status: NotRequired[int]
    request_id: NotRequired[str]
    errors: NotRequired[list[Fault]]


class WorkFailed(Exception):
    """The work failed: exit status 1. The message names the way out."""

    def __init__(self, code: str, detail: str) -> None:
        self.problem: Problem = {"code": code, "detail": detail}
        super().__init__(detail)


def problem_of(error: MorrowError) -> Problem:
    """What the client says of it, with the way out that a command has."""
    told: Problem = {"code": error.code, "detail": error.detail}
    if isinstance(error, Unreachable):
        told["detail"] += ": `morrow up` starts Morrow here, --url or MORROW_URL names another"
    if error.status is not None:
        told["status"] = error.status
    if error.request_id is not None:
        told["request_id"] = error.request_id
    if error.errors:
        told["errors"] = error.errors
    return told


@contextmanager
def file_faults(doing: str) -> Iterator[None]:
    """What the file system refuses, as work that failed; `doing` says what could not be done."""
    try:
        yield
    except OSError as error:
        raise WorkFailed("file_refused", f"{doing}: {error.strerror}") from None


@dataclass(frozen=True, slots=True)
class TableFault:
    """A fault of the input as a table shows it."""

    row: str
    field: str
    code: str
    message: str


def faults_of(problem: Problem) -> Sequence[TableFault]:
    return [
        TableFault(_text(error.get("row")), _text(error.get("field")), *_said(error))
        for error in problem.get("errors", [])
    ]


def _said(error: Fault) -> tuple[str, str]:
    return error["code"], error["message"]


def _text(value: str | int | None) -> str:
    return "" if value is None else str(value)
