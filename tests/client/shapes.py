"""Types of Python and schemas of OpenAPI brought to one form, so that one can be held against the
other."""

import datetime as dt
import enum
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args, get_origin, get_type_hints
from uuid import UUID

TEXTS = {str, UUID, dt.date, dt.datetime}
PLAIN = {bool: "boolean", int: "integer", float: "number", type(None): "null"}
WORDS = {"boolean", "integer", "number", "null", "string"}


@dataclass
class Shape:
    """What a value may be: each kind with what it is made of. None: anything at all."""

    kinds: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Member:
    """A member of an object. `promised`: it may be counted on, for the schema requires it or has
    something in its place, a default or null; that it is there is for `test_answers`."""

    shape: Shape | None
    required: bool
    promised: bool


def of_type(given: Any) -> Shape | None:
    """The shape of an annotation."""
    if given in (Any, object):
        return None
    if given in TEXTS:
        return Shape({"string": None})
    if given in PLAIN:
        return Shape({PLAIN[given]: None})
    if typing.is_typeddict(given):
        return Shape({"object": _members_of(given)})
    if isinstance(given, type) and issubclass(given, enum.Enum):
        return Shape()  # KEEP is never sent
    return _of_parts(get_origin(given), get_args(given))


def _of_parts(origin: Any, arguments: tuple[Any, ...]) -> Shape | None:
    if origin is Literal:
        return Shape({"string": frozenset(arguments)})
    if origin in (typing.Union, types.UnionType):
        return _union([of_type(each) for each in arguments])
    if origin in (list, Sequence):
        return Shape({"array": of_type(arguments[0])})
    if origin in (dict, Mapping):
        return Shape({"map": of_type(arguments[1])})
    raise AssertionError(f"no shape for {origin}{arguments}")


def _members_of(given: Any) -> dict[str, Member]:
    required = given.__required_keys__
    return {
        name: Member(of_type(hint), name in required, name in required)
        for name, hint in get_type_hints(given).items()
    }


def _union(shapes: list[Shape | None]) -> Shape | None:
    together = Shape()
    for shape in shapes:
        if shape is None:
            return None
        together.kinds |= shape.kinds
    return together


def of_schema(schema: dict[str, Any], document: dict[str, Any]) -> Shape | None:
    """The shape of a JSON schema."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return of_schema(document["components"]["schemas"][name], document)
    if "anyOf" in schema:
        return _union([of_schema(each, document) for each in schema["anyOf"]])
    if "enum" in schema or "const" in schema:
        return Shape({"string": frozenset(schema.get("enum") or [schema["const"]])})
    named = schema.get("type")
    if named == "array":
        return Shape({"array": of_schema(schema.get("items", {}), document)})
    if named == "object":
        return _of_object(schema, document)
    return None if named is None else Shape({named: None})


def _of_object(schema: dict[str, Any], document: dict[str, Any]) -> Shape:
    if "properties" not in schema:
        inside = schema.get("additionalProperties", {})
        return Shape({"map": None if inside is True else of_schema(inside, document)})
    required = schema.get("required", [])
    return Shape(
        {
            "object": {
                name: _member(of_schema(each, document), name in required, "default" in each)
                for name, each in schema["properties"].items()
            }
        }
    )


def _member(shape: Shape | None, required: bool, has_default: bool) -> Member:
    nullable = shape is not None and "null" in shape.kinds
    return Member(shape, required, required or has_default or nullable)


def faults_of_answer(ours: Shape | None, theirs: Shape | None, at: str) -> list[str]:
    """Where our type of an answer is not what the document says of it. Members that the document
    does not require may be unknown to us: some are added freely."""
    if theirs is None or ours is None:
        return []
    mine, told = set(ours.kinds), set(theirs.kinds)
    if "map" in told and "object" in mine:
        return []  # what we know of something that may hold anything
    faults = [] if mine == told else [f"{at}: {sorted(mine)} here, {sorted(told)} there"]
    for kind in mine & told:
        parts = ours.kinds[kind], theirs.kinds[kind]
        if kind in WORDS:
            faults += _faults_of_words(*parts, at)
        elif kind == "object":
            faults += _faults_of_members(*parts, at)
        else:
            faults += faults_of_answer(*parts, f"{at}[]")
    return faults


def _faults_of_words(
    ours: frozenset[str] | None, theirs: frozenset[str] | None, at: str
) -> list[str]:
    """A word that we do not restrict may be any."""
    if ours is None or ours == theirs:
        return []
    return [f"{at}: {sorted(ours)} here, {sorted(theirs or ['any'])} there"]


def _faults_of_members(ours: dict[str, Member], theirs: dict[str, Member], at: str) -> list[str]:
    faults = [f"{at}.{name}: not in the document" for name in ours.keys() - theirs.keys()]
    for name, told in theirs.items():
        mine = ours.get(name)
        if mine is None:
            faults += [f"{at}.{name}: not known here"] if told.required else []
            continue
        if mine.required and not told.promised:
            faults.append(f"{at}.{name}: promised here, and there it may be missing")
        faults += faults_of_answer(mine.shape, told.shape, f"{at}.{name}")
    return faults


def faults_of_input(ours: Shape | None, theirs: Shape | None, at: str) -> list[str]:
    """Where what our callers may say is not what the document takes. None here is left out."""
    if theirs is None or ours is None:
        return []
    faults = [
        f"{at}: {kind} is not taken there"
        for kind in ours.kinds.keys() - theirs.kinds.keys() - {"null"}
    ]
    for kind in ours.kinds.keys() & theirs.kinds.keys():
        parts = ours.kinds[kind], theirs.kinds[kind]
        if kind in WORDS:
            faults += _faults_of_words(*parts, at)
        elif kind == "object":
            faults += _faults_of_body(*parts, at)
        else:
            faults += faults_of_input(*parts, f"{at}[]")
    return faults


def _faults_of_body(ours: dict[str, Member], theirs: dict[str, Member], at: str) -> list[str]:
    faults = [f"{at}.{name}: not in the document" for name in ours.keys() - theirs.keys()]
    faults += [f"{at}.{name}: cannot be said here" for name in theirs.keys() - ours.keys()]
    for name in ours.keys() & theirs.keys():
        faults += faults_of_input(ours[name].shape, theirs[name].shape, f"{at}.{name}")
    return faults
