"""A call as a value: what is asked, what a success of it is, and whether it may be asked again."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, Final, Generic, TypeVar
from urllib.parse import quote

from morrow.values import Id, Scalar, query_text

T = TypeVar("T")
BASE: Final = "/api/v1"
PAGE: Final = 500
Query = Mapping[str, Scalar | None]


class Again(Enum):
    """Whether a call may be sent again when nobody knows if the first was taken."""

    SAFE = "safe"
    """Twice is once: it reads, replaces, or ends what has ended."""
    KEYED = "keyed"
    """It goes under an `Idempotency-Key`, the same for each time."""
    NEVER = "never"
    """Twice would be two: sent again only where the first was surely not taken."""


@dataclass(frozen=True, slots=True)
class Content:
    """A body that is no JSON. `chunks` begins anew each time it is called."""

    chunks: Callable[[], Iterator[bytes]]
    length: int
    media_type: str


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """`T` is the answer's JSON. `path` names its `places` in braces; `welcome` are statuses beyond
    2xx that are answers and no errors. `ends`: it has no answer but that something is no more, so
    that a 404 says as much to whoever asks again."""

    method: str
    path: str
    places: Mapping[str, Id] = field(default_factory=dict)
    query: Query = field(default_factory=dict)
    body: object | None = None
    content: Content | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    again: Again = Again.SAFE
    welcome: tuple[int, ...] = ()
    ends: bool = False

    @property
    def target(self) -> str:
        """The path with its places filled; a name may hold anything, a slash too."""
        path = self.path
        for name, value in self.places.items():
            path = path.replace(f"{{{name}}}", quote(str(value), safe=""))
        return path

    @property
    def query_text(self) -> dict[str, str]:
        return query_text(self.query)


@dataclass(frozen=True, slots=True)
class Pages(Generic[T]):
    """A list of `T`, page by page, or `whole` in one answer."""

    first: Call[Any]
    whole: bool = False

    def page(self, cursor: str | None) -> Call[Any]:
        """The call for the page at `cursor`."""
        if self.whole:
            return self.first
        return replace(self.first, query={**self.first.query, "limit": PAGE, "cursor": cursor})


def get(path: str, query: Query | None = None, **places: Id) -> Call[T]:
    return Call("GET", BASE + path, places, query or {})


def listed(path: str, query: Query | None = None, **places: Id) -> Pages[T]:
    return Pages(Call("GET", BASE + path, places, query or {}))


def whole(path: str, query: Query | None = None) -> Pages[T]:
    return Pages(Call("GET", BASE + path, {}, query or {}), whole=True)


def put(path: str, body: object, **places: Id) -> Call[T]:
    return Call("PUT", BASE + path, places, body=body)


def patch(path: str, body: object, **places: Id) -> Call[T]:
    return Call("PATCH", BASE + path, places, body=body)


def delete(path: str, query: Query | None = None, **places: Id) -> Call[T]:
    return Call("DELETE", BASE + path, places, query or {})


def end(path: str, **places: Id) -> Call[None]:
    return Call("DELETE", BASE + path, places, ends=True)


def post(path: str, again: Again, body: object | None = None, **places: Id) -> Call[T]:
    return Call("POST", BASE + path, places, body=body, again=again)
