"""Why a command's work failed: in words for people, and as a value for machines."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NotRequired, TypedDict


class InputFault(TypedDict):
    """One fault of the input, where it is known."""

    field: NotRequired[str]
    row: NotRequired[int]
    code: str
    message: str


class Problem(TypedDict):
    """What machines are told: an RFC 9457 problem as the API answers it, or one in its manner."""

    code: str
    detail: str
    status: NotRequired[int]
    request_id: NotRequired[str]
    errors: NotRequired[list[InputFault]]


class WorkFailed(Exception):
    """The work failed: exit status 1. The message names the way out."""

    def __init__(self, code: str, detail: str) -> None:
        self.problem: Problem = {"code": code, "detail": detail}
        super().__init__(detail)


class Refused(WorkFailed):
    """The API answered with a problem."""

    def __init__(self, status: int, problem: Problem) -> None:
        super().__init__(problem["code"], problem["detail"])
        self.status = status
        self.problem = problem


class Unreachable(WorkFailed):
    """The API did not answer."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(
            "api_unreachable",
            f"no answer from {url} ({reason}): `morrow up` starts Morrow here, "
            "--url or MORROW_URL names another",
        )


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of the input as a table shows it."""

    row: str
    field: str
    code: str
    message: str


def faults_of(problem: Problem) -> Sequence[Fault]:
    return [
        Fault(str(error.get("row", "")), error.get("field", ""), error["code"], error["message"])
        for error in problem.get("errors", [])
    ]
