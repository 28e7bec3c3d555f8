"""Whether a value is of a type, to the letter: nothing unknown in it, and nothing missing."""

import types
import typing
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin, get_type_hints

from morrow.schemas import EventData

OPEN = {EventData}
"""These may hold more than is known."""


def faults_of(value: Any, expected: Any, at: str = "") -> list[str]:
    """Where `value`, as JSON has it, is not what the type says."""
    if expected is Any or _is_plain(value, expected):
        return []
    if typing.is_typeddict(expected):
        return list(_of_members(value, expected, at))
    origin, arguments = get_origin(expected), get_args(expected)
    if origin is Literal:
        return [] if value in arguments else [f"{at}: {value!r} is none of {arguments}"]
    if origin in (typing.Union, types.UnionType):
        tries = [faults_of(value, each, at) for each in arguments]
        return min(tries, key=len)
    if origin is list and isinstance(value, list):
        return [each for item in value for each in faults_of(item, arguments[0], f"{at}[]")]
    if origin is dict and isinstance(value, dict):
        return [
            each for part in value.values() for each in faults_of(part, arguments[1], f"{at}.*")
        ]
    return [f"{at}: {value!r} is no {expected}"]


def _is_plain(value: Any, expected: Any) -> bool:
    if expected is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if expected in (int, str, bool, type(None)):
        return type(value) is expected
    return False


def _of_members(value: Any, expected: Any, at: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{at}: {value!r} is no object"
        return
    hints = get_type_hints(expected)
    if expected not in OPEN:
        yield from (f"{at}.{name}: unknown" for name in value.keys() - hints.keys())
    yield from (f"{at}.{name}: missing" for name in expected.__required_keys__ - value.keys())
    for name in value.keys() & hints.keys():
        yield from faults_of(value[name], hints[name], f"{at}.{name}")
