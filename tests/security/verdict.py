"""Whether an answer is one that the document allows, and an error one that helps."""

from typing import Any, Final

from tests.security.fields import Field, value_at
from tests.security.wire import Answer

PROBLEM: Final = "application/problem+json"
MEMBERS: Final = {"type", "title", "status", "detail", "code", "request_id"}
LONGEST_ERROR: Final = 40_000
"""Of a hundred errors, each with what was sent cut short."""
INSIDES: Final = ("sys.", "Traceback", "site-packages", "asyncpg", "sqlalchemy", ".py")
NEVER_DOCUMENTED: Final = {404, 405}
"""Of a path or method that is no operation's."""


def fault_of(answer: Answer, field: Field) -> str | None:
    """What is wrong with the answer to a request that had some value in this field."""
    allowed = field.operation.statuses | (NEVER_DOCUMENTED if field.place == "path" else set())
    if answer.status >= 500 or answer.status not in allowed:
        return f"{answer.status} {bytes(answer.body[:300])!r}"
    if "x-forged" in answer.headers:
        return "a header of the sender's own"
    if answer.status < 400:
        return None
    return _fault_of_problem(answer) or _fault_of_names(answer, field)


def _fault_of_problem(answer: Answer) -> str | None:
    media_type = answer.headers.get("content-type")
    if media_type != PROBLEM:
        return f"{answer.status} as {media_type}"
    if len(answer.body) > LONGEST_ERROR:
        return f"an error of {len(answer.body)} bytes"
    try:
        problem = answer.json()
    except ValueError as error:
        return f"no JSON: {error}"
    if not problem.keys() >= MEMBERS or problem["status"] != answer.status:
        return f"lacks {MEMBERS - problem.keys()}"
    if problem["request_id"] != answer.headers["x-request-id"]:
        return "the id of another request"
    if any(word in text for text in _texts(problem) for word in INSIDES):
        return f"tells of its insides: {bytes(answer.body[:300])!r}"
    return next((f"unclean: {text!r:.80}" for text in _texts(problem) if not _is_clean(text)), None)


def _fault_of_names(answer: Answer, field: Field) -> str | None:
    """A 422 says where it is: the field that was changed, or one that no longer fits it."""
    if answer.status != 422:
        return None
    errors = answer.json().get("errors")
    if not errors:
        return f"names nothing: {bytes(answer.body[:300])!r}"
    if not all("field" in error or "row" in error for error in errors):
        return f"an error of nothing: {errors!r:.300}"
    parts = {part.lower() for error in errors for part in str(error.get("field", "")).split(".")}
    together = {*field.name.lower().split("."), *field.operation.query, *_within(field)}
    named = parts & together  # a day may be refused beside another
    if not named and not any("row" in error for error in errors) and "body" not in parts:
        return f"names {sorted(parts)}, not {field.name}"
    return None


def _within(field: Field) -> set[str]:
    """The members of what was there before: the value may lack one of them."""
    there = value_at(field.operation.body, field.name) if field.place == "body" else None
    return set(there) if isinstance(there, dict) else set()


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    members = (
        value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    )
    return [text for member in members for text in _texts(member)]


def _is_clean(text: str) -> bool:
    return not any(ord(character) < 32 and character not in "\t\n" for character in text)
