"""All breakers of a process, by name and owner."""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from shared.breaker.breaker import Breaker, Clock
from shared.breaker.report import Report, State
from shared.breaker.telemetry import OPEN
from shared.breaker.terms import BreakerTerms

MOST: Final = 10_000


@dataclass(slots=True)
class _Kept:
    breaker: Breaker
    upstream: str


class Breakers:
    """A name is `kind:rest`, and its kind says on which terms. The least recently used leave first,
    when there are more than `MOST`; `on_change` is called after each change of a state."""

    def __init__(self, terms: Mapping[str, BreakerTerms], clock: Clock = time.monotonic) -> None:
        self.on_change: Callable[[], object] = lambda: None
        self._terms = terms
        self._clock = clock
        self._kept: OrderedDict[tuple[str, UUID | None], _Kept] = OrderedDict()

    def of(self, name: str, owner: UUID | None, upstream: str) -> Breaker:
        """The breaker of that name and owner, closed if it is new.

        One whose upstream (`host:port`) is another than before begins anew: what it learnt is of
        no use. `ValueError` for a kind that has no terms, or that is owned and here is not.
        """
        kept = self._kept.get((name, owner))
        if kept is None:
            kept = self._kept[name, owner] = _Kept(self._make(name, owner), upstream)
            self._forget_one_too_many()
        if kept.upstream != upstream:
            kept.breaker.reset()
            kept.upstream = upstream
        self._kept.move_to_end((name, owner))
        return kept.breaker

    def reset(self, name: str) -> int:
        """Close those of that name, whoever owns them; how many there were."""
        found = [kept for (named, _), kept in self._kept.items() if named == name]
        for kept in found:
            kept.breaker.reset()
        return len(found)

    def reports(self) -> Iterator[Report]:
        now = self._clock()
        for (name, owner), kept in self._kept.items():
            breaker = kept.breaker
            window = breaker.window
            state, since = breaker.outlook
            yield Report(
                name=name,
                owner=owner,
                upstream=kept.upstream,
                state=state,
                state_seconds=now - since,
                failure_rate=window.failure_rate,
                slow_rate=window.slow_rate,
                calls=window.calls,
                opened_count=breaker.opened_count,
                last_error=breaker.last_error,
            )

    def _make(self, name: str, owner: UUID | None) -> Breaker:
        kind = name.partition(":")[0]
        if kind not in self._terms:
            raise ValueError(f"no terms for a breaker {name!r}: kinds are {', '.join(self._terms)}")
        terms = self._terms[kind]
        if terms.owned and owner is None:
            raise ValueError(f"a breaker of the kind {kind!r} is made with its owner")
        return Breaker(name, terms, self._clock, self._has_changed)

    def _forget_one_too_many(self) -> None:
        if len(self._kept) > MOST:
            self._kept.popitem(last=False)

    def _has_changed(self) -> None:
        open_now = dict.fromkeys(self._terms, 0)
        for (name, _), kept in self._kept.items():
            if kept.breaker.state is not State.CLOSED:
                open_now[name.partition(":")[0]] += 1
        for kind, number in open_now.items():
            OPEN.labels(kind).set(number)
        self.on_change()
