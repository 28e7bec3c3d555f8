"""How far an import is."""

from collections.abc import Callable
from dataclasses import dataclass

from morrow.importing.part import Part


@dataclass(frozen=True, slots=True)
class Progress:
    """`rows`: that are in. `share`: of all that there is, sent, from 0 to 1; None if unknown."""

    rows: int
    share: float | None


Told = Callable[[Progress], None]


@dataclass(slots=True)
class Telling:
    """Tells how far all is while a part is sent; one that is sent again stays where it was."""

    progress: Told | None
    rows: int
    share: float
    part: Part
    _bytes: int = 0

    def sent(self, size: int) -> None:
        """Told of each piece of the part as it leaves."""
        self._bytes += size
        if self.part.share is not None:
            done = min(1.0, self._bytes / max(1, len(self.part.body)))
            self.tell(self.rows, self.share + (self.part.share - self.share) * done)

    def tell(self, rows: int, share: float | None) -> None:
        if self.progress is not None:
            self.progress(Progress(rows, share))
