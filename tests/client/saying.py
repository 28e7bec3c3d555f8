"""What of a call each parameter of an operation ends in: found by saying it."""

import inspect
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any, get_type_hints

from morrow import calls
from morrow.call import Call, Content, Pages
from tests.client.shapes import Shape, of_type

Operation = Callable[..., Call[Any] | Pages[Any]]
CONTENT = Content(lambda: iter([b"rows"]), 4, "text/csv")
Place = tuple[str, str]
"""Where a call says something: ("query", "from")."""


@dataclass(frozen=True)
class Said:
    """A parameter, its type, and where the call has it."""

    name: str
    type: Any
    places: frozenset[Place]


def operations() -> list[Operation]:
    """Every function that makes a call."""
    rooms = [
        import_module(f"morrow.calls.{each.name}") for each in pkgutil.iter_modules(calls.__path__)
    ]
    return [
        made
        for room in rooms
        for name, made in vars(room).items()
        if inspect.isfunction(made) and made.__module__ == room.__name__ and name[0] != "_"
    ]


def call_of(operation: Operation, **values: Any) -> Call[Any]:
    """The call with what it needs, and with `values`; of a list, for a page after the first."""
    made = operation(**_needed(operation) | values)
    return made.page("next") if isinstance(made, Pages) else made


def _needed(operation: Operation) -> dict[str, Any]:
    hints = get_type_hints(operation)
    return {
        name: sample(name, hints[name])
        for name, each in inspect.signature(operation).parameters.items()
        if each.default is inspect.Parameter.empty
    }


def said(operation: Operation) -> Iterator[Said]:
    """Each parameter, with the places of the call that are others once it is."""
    hints = get_type_hints(operation)
    for name, parameter in inspect.signature(operation).parameters.items():
        if hints[name] is Content:
            continue
        needed = parameter.default is inspect.Parameter.empty
        other = sample(name, hints[name], other=True) if needed else parameter.default
        before = places_of(call_of(operation, **{name: other}))
        now = places_of(call_of(operation, **{name: sample(name, hints[name])}))
        changed = {place for place in now if before.get(place) != now[place]}
        yield Said(name, hints[name], frozenset(changed))


def sample(name: str, type: Any, other: bool = False) -> Any:
    """A value of the type; `other`: another one."""
    return CONTENT if type is Content else _sample(name, of_type(type), other)


def _sample(name: str, shape: Shape | None, other: bool) -> Any:
    kinds = {} if shape is None else shape.kinds
    if "array" in kinds:
        return [_sample(name, kinds["array"], other)]
    if "object" in kinds:
        members = kinds["object"].items()
        return {each: _sample(each, member.shape, other) for each, member in members}
    if "map" in kinds:
        return {name: "other" if other else "one"}
    if "string" in kinds:
        words = sorted(kinds["string"] or [f"{name}-1", f"{name}-2"])
        return words[0] if other else words[-1]
    if "boolean" in kinds:
        return not other
    return 8 if other else 7


def places_of(call: Call[Any]) -> dict[Place, Any]:
    """Everything that a call says, by where it says it."""
    body = call.body if isinstance(call.body, dict) else {}
    return {
        **{("path", name): value for name, value in call.places.items()},
        **{("query", name): value for name, value in call.query_text.items()},
        **{("header", name.lower()): value for name, value in call.headers.items()},
        **{("body", name): value for name, value in body.items()},
    }
