"""What is wrong, as RFC 9457 has it."""

from typing import NotRequired, TypedDict


class Fault(TypedDict):
    """One fault of the input: where it is, its stable code, and what to do."""

    field: NotRequired[str | None]
    row: NotRequired[int | None]
    code: str
    message: str


class Problem(TypedDict):
    """The body of every answer that is not a success."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: NotRequired[list[Fault] | None]
