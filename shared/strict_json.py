"""JSON as it has one meaning: no key twice, not too deep, and no more members than asked for."""

import json
from collections.abc import Callable
from typing import Final

Pairs = list[tuple[str, object]]

MOST_MEMBERS: Final = 1_000
MOST_DEPTH: Final = 32


class StrictJsonError(ValueError):
    """JSON that can be read, but is not taken; `code` is stable, the message says what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def strict_object(pairs: Pairs) -> dict[str, object]:
    """The members; an object that names a key twice would lose one of its values."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise StrictJsonError(
            "duplicate_key", f"an object has the key {_first_repeated(pairs)!r:.80} twice"
        )
    return members


def require_plain(text: bytes) -> None:
    """Raise StrictJsonError for JSON with a key twice, over MOST_MEMBERS members and objects, or
    deeper than MOST_DEPTH; another ValueError for what is no JSON."""
    try:
        document = json.loads(text, object_pairs_hook=_counted())
    except RecursionError:
        raise _too_deep() from None
    if is_deeper(document, MOST_DEPTH):
        raise _too_deep()


def _counted() -> Callable[[Pairs], dict[str, object]]:
    members = 0

    def strict_object_of_few(pairs: Pairs) -> dict[str, object]:
        nonlocal members
        members += 1 + len(pairs)
        if members > MOST_MEMBERS:
            raise StrictJsonError(
                "too_many_members", f"a body has at most {MOST_MEMBERS} members in all its objects"
            )
        return strict_object(pairs)

    return strict_object_of_few


def _first_repeated(pairs: Pairs) -> str:
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            return name
        seen.add(name)
    raise AssertionError("no name is repeated")


def is_deeper(document: object, most: int) -> bool:
    """Whether more than `most` objects and lists of parsed JSON stand in one another. It goes level
    by level and not by recursion, which a deep one would exhaust."""
    level = [document]
    for _ in range(most):
        level = [
            member
            for container in level
            if isinstance(container, dict | list)
            for member in (container.values() if isinstance(container, dict) else container)
            if isinstance(member, dict | list)
        ]
        if not level:
            return False
    return True


def _too_deep() -> StrictJsonError:
    return StrictJsonError("too_deep", f"a body is nested at most {MOST_DEPTH} deep")
