"""What can be wrong with what a source says, by name; of a page with a fault nothing is kept."""

from typing import Any

from shared.errors import InputError, Problem
from shared.upstream.errors import UpstreamError

MOST_ERRORS = 10


class SourceFault(Exception):
    """`code` is a stable snake_case word; the message names the value, the limit, the way out."""

    def __init__(self, code: str, message: str, errors: list[InputError] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.errors = (errors or [])[:MOST_ERRORS]


class Superseded(SourceFault):
    """Somebody else reads the source by now, or it was connected anew."""

    def __init__(self) -> None:
        super().__init__(
            "superseded", "the source was connected anew, or another sync has taken it over"
        )


FAULTS = (SourceFault, UpstreamError, Problem)
"""Whatever may be the source's own fault; anything else is ours."""


def told(fault: Exception) -> dict[str, Any]:
    """The fault as the record of the sync keeps it: no address, no header, no credentials."""
    if isinstance(fault, UpstreamError):
        found: dict[str, Any] = {"code": fault.code, "message": str(fault)[:2000]}
        found["upstream"] = fault.upstream
        if fault.retry_after is not None:
            found["retry_after"] = fault.retry_after
        return found
    if isinstance(fault, Problem):  # of the import, whose rules are the same for what is pulled
        return _with_errors(fault.code, fault.detail, fault.errors or [])
    assert isinstance(fault, SourceFault)
    return _with_errors(fault.code, fault.message, fault.errors)


def _with_errors(code: str, message: str, errors: list[InputError]) -> dict[str, Any]:
    listed = [error.model_dump(exclude_none=True) for error in errors[:MOST_ERRORS]]
    return {"code": code, "message": message[:2000]} | ({"errors": listed} if listed else {})
