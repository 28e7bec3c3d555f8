"""A page of a list."""

from typing import Generic, TypedDict, TypeVar

T = TypeVar("T")


class Page(TypedDict, Generic[T]):
    """`next_cursor` asks for the page after it; null on the last."""

    items: list[T]
    next_cursor: str | None
