"""A row of the matrix: one way to call an operation, and whose things it can name."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from shared.auth import Scope


class Who(Enum):
    """Whom an operation is for beside keys of certain scopes."""

    ANYONE = "anyone"
    OPERATOR = "operator"


@dataclass(frozen=True)
class Place:
    """Where a request names a thing: of the caller's own (`of`, a field of `Holdings`), of another
    tenant, or of nobody. The last two are answered with the status `foreign`, and alike; of a
    place in a list, `alike` is False: it holds only that nothing foreign comes."""

    of: str
    foreign: int
    alike: bool = True


def page(of: str) -> Place:
    return Place(of, 200, alike=False)


@dataclass(frozen=True)
class Row:
    """`operation` is method and path. A parameter is a `Place`, or a value that names nobody's
    thing; in `idle` are those that name nothing and are left out. `status` answers the caller
    who may, with things of its own. `content` makes bytes of the body, and of an artifact that is
    the caller's own."""

    operation: str
    who: frozenset[Scope | Who]
    status: int = 200
    path: Mapping[str, Place | str] = field(default_factory=dict)
    query: Mapping[str, Place | str] = field(default_factory=dict)
    headers: Mapping[str, Place | str] = field(default_factory=dict)
    body: Any = None
    content: Callable[[Any, bytes], bytes] | None = None
    media_type: str = "application/json"
    idle: tuple[str, ...] = ()

    @property
    def method(self) -> str:
        return self.operation.split(" ")[0]

    @property
    def template(self) -> str:
        return self.operation.split(" ")[1]

    @property
    def reads(self) -> bool:
        return self.method in {"GET", "WS"}

    def places(self) -> dict[str, Place]:
        return dict(_places("", self._parts()))

    def told(self) -> set[str]:
        """Every parameter that this row says something of."""
        parts = self._parts()
        return {f"{part}.{name}".lower() for part in parts for name in parts[part] or ()} | {
            idle.lower() for idle in self.idle
        }

    def _parts(self) -> dict[str, Any]:
        return {
            "path": self.path,
            "query": self.query,
            "header": self.headers,
            "body": self.body,
        }

    def filled(self, choose: Callable[[str, Place], str]) -> "Request":
        path, query, headers, body = (
            _filled(f"{part}", template, choose) for part, template in self._parts().items()
        )
        return Request(self, path, query, headers, body)


@dataclass(frozen=True)
class Request:
    """A row with a value in every place."""

    row: Row
    path: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any
    foreign: frozenset[str] = frozenset()
    """What of another tenant it names."""

    @property
    def path_text(self) -> str:
        return self.row.template.format(**self.path)

    def bytes_of(self, artifact: bytes) -> bytes | None:
        """The body as it is sent."""
        if self.row.content is not None:
            return self.row.content(self.body, artifact)
        return None if self.body is None else compact(self.body)


def compact(body: Any) -> bytes:
    """As clients write it: byte by byte what the fill sent."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def _places(label: str, template: Any) -> Iterator[tuple[str, Place]]:
    if isinstance(template, Place):
        yield label, template
    elif isinstance(template, Mapping):
        for name, each in template.items():
            yield from _places(f"{label}.{name}".lstrip("."), each)
    elif isinstance(template, list):
        for index, each in enumerate(template):
            yield from _places(f"{label}.{index}", each)


def _filled(label: str, template: Any, choose: Callable[[str, Place], str]) -> Any:
    if isinstance(template, Place):
        return choose(label, template)
    if isinstance(template, Mapping):
        return {name: _filled(f"{label}.{name}", each, choose) for name, each in template.items()}
    if isinstance(template, list):
        return [_filled(f"{label}.{index}", each, choose) for index, each in enumerate(template)]
    return template
