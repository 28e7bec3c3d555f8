"""A place in a manifest: whatever is asked of it that is not there is empty, so that a check reads
as the manifest does."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass


class WrongShape(Exception):
    """A value is not of the type that its place in a manifest has."""

    def __init__(self, value: object, wanted: str) -> None:
        self.value = value
        super().__init__(f"{value!r} is not {wanted}")


@dataclass(frozen=True, slots=True)
class Node:
    value: object = None

    def __bool__(self) -> bool:
        """Whether anything is here: False and 0 are something."""
        return self.value is not None

    def __getitem__(self, name: str) -> "Node":
        return Node(self._mapping().get(name))

    def at(self, *names: str) -> "Node":
        """What is below these names, one below the other."""
        found = self
        for name in names:
            found = found[name]
        return found

    def each(self) -> Iterator["Node"]:
        """The items of a list."""
        if self.value is None:
            return
        if not isinstance(self.value, list):
            raise WrongShape(self.value, "a list")
        yield from map(Node, self.value)

    def names(self) -> list[str]:
        return [str(name) for name in self._mapping()]

    def text(self) -> str:
        return "" if self.value is None else str(self.value)

    def texts(self) -> dict[str, str]:
        """A mapping of names to texts, such as labels."""
        return {str(name): str(value) for name, value in self._mapping().items()}

    def number(self, otherwise: float = 0) -> float:
        if self.value is None:
            return otherwise
        if isinstance(self.value, bool) or not isinstance(self.value, int | float):
            raise WrongShape(self.value, "a number")
        return self.value

    def _mapping(self) -> Mapping[object, object]:
        if self.value is None:
            return {}
        if not isinstance(self.value, dict):
            raise WrongShape(self.value, "a mapping")
        return self.value
