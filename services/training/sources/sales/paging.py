"""Pages behind cursors: taken up where the last sync ended, and never without end.

`state` holds `watermark`, the newest change seen by the last pass that read all pages, and as
`pass` the one that goes on: since when it asks, its cursor, and the newest change it saw so far.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final, Generic, Self, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from services.training.sources.faults import SourceFault
from services.training.sources.options import SalesOptions
from services.training.sources.run import Run
from shared.upstream.errors import UpstreamStatus
from shared.upstream.payload import Json

Content = TypeVar("Content")

MOST_PAGES: Final = 20_000
MOST_EMPTY_PAGES: Final = 10
MOST_ITEMS: Final = 10_000
CURSOR_REFUSED: Final = (400, 404, 410, 422)
"""What a cursor is answered with that a supplier does not know any more."""
LATEST_AHEAD: Final = timedelta(days=1)
"""So far may the clock of a supplier be ahead."""


@dataclass(frozen=True, slots=True)
class Page(Generic[Content]):
    """`newest`: the latest change on it. `digest`: of all that it holds, none where it is empty."""

    content: Content
    next_cursor: str | None
    newest: datetime | None
    digest: bytes | None


@dataclass(frozen=True, slots=True)
class Pass:
    """One reading of all that was changed since an instant."""

    since: datetime | None
    cursor: str | None
    newest: datetime | None
    watermark: datetime | None
    began_at: datetime

    @classmethod
    def of(cls, state: Mapping[str, Any], options: SalesOptions, now: datetime) -> Self:
        """The pass that the last sync did not end, else a new one."""
        watermark, open_pass = _instant(state.get("watermark")), state.get("pass")
        if open_pass is not None:
            return cls(
                since=_instant(open_pass["since"]),
                cursor=open_pass["cursor"],
                newest=_instant(open_pass["newest"]),
                watermark=watermark,
                began_at=datetime.fromisoformat(open_pass["began_at"]),
            )
        since = None
        if watermark is not None:
            since = watermark - timedelta(hours=options.overlap_hours)
        return cls(since, None, None, watermark, now)

    def after(self, page: Page[Any]) -> Self:
        return replace(self, newest=_later(self.newest, page.newest), cursor=page.next_cursor)

    def state(self) -> dict[str, Any]:
        if self.cursor is None:  # the last page: what was changed until then has been seen
            newest = None if self.newest is None else min(self.newest, self.began_at)
            seen = _later(self.watermark, newest) or self.began_at
            return {"watermark": seen.isoformat(), "pass": None}
        open_pass = {
            "since": _text(self.since),
            "newest": _text(self.newest),
            "began_at": self.began_at.isoformat(),
            "cursor": self.cursor,
        }
        return {"watermark": _text(self.watermark), "pass": open_pass}


@dataclass(slots=True)
class Guard:
    """Ends what would go on for ever: a cursor or a page that comes twice, empty pages in a row,
    more pages than anybody has."""

    cursors: set[str] = field(default_factory=set)
    digests: set[bytes] = field(default_factory=set)
    empty: int = 0
    pages: int = 0

    def admit(self, page: Page[Any]) -> None:
        self.pages += 1
        self.empty = self.empty + 1 if page.digest is None else 0
        if page.digest is not None and page.digest in self.digests:
            raise SourceFault(
                "repeated_page", f"page {self.pages} says again what an earlier one said"
            )
        if page.next_cursor is not None and page.next_cursor in self.cursors:
            raise SourceFault("endless_cursor", f"page {self.pages} leads back to an earlier one")
        tired = self.empty >= MOST_EMPTY_PAGES or self.pages >= MOST_PAGES
        if page.next_cursor is not None and tired:
            raise SourceFault(
                "endless_cursor",
                f"after {self.pages} pages, the last {self.empty} of them empty, there is one more",
            )
        self.digests |= set() if page.digest is None else {page.digest}
        self.cursors |= set() if page.next_cursor is None else {page.next_cursor}


async def read_pages(
    run: Run,
    options: SalesOptions,
    fetch: Callable[[Pass], Awaitable[Page[Content]]],
    keep: Callable[[AsyncSession, Content, Pass], Awaitable[int]],
    beside: Callable[[Pass], Mapping[str, Any]] = lambda _: {},
) -> None:
    """Every page of a pass: fetched, and kept together with where the next begins.

    `keep` gets the pass as it is after the page, and returns how many rows it was; `beside` is
    what else is to stand in the state then.
    """
    current, guard = Pass.of(run.state, options, run.now), Guard()
    taken_up = current.cursor is not None
    while True:
        run.require_time()
        try:
            page = await fetch(current)
        except UpstreamStatus as refused:
            if not taken_up or refused.status not in CURSOR_REFUSED:
                raise
            current, taken_up = replace(current, cursor=None), False
            continue
        taken_up = False
        guard.admit(page)
        current = current.after(page)
        async with run.step() as session:
            rows = await keep(session, page.content, current)
            state = run.state | current.state() | dict(beside(current))
            await run.note(session, state, rows)
        if current.cursor is None:
            return


def digest_of(items: list[Json]) -> bytes | None:
    if not items:
        return None
    return hashlib.sha256(json.dumps(items, sort_keys=True).encode()).digest()


def require_few(items: list[Json]) -> list[Json]:
    if len(items) > MOST_ITEMS:
        raise SourceFault(
            "page_too_large", f"a page holds {len(items)} items; the limit is {MOST_ITEMS}"
        )
    return items


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max((at for at in (one, other) if at is not None), default=None)


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
