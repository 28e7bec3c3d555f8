"""Forecasts that were read a while ago, for when the database is away."""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Annotated, Final
from uuid import UUID

from fastapi import Depends, Request

from services.training.forecasts.schemas import ForecastOut

BESIDES: Final = 512
"""Bytes that an entry takes beside its forecast."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A forecast as JSON, and when it was read."""

    body: bytes
    read_at: float


class RecentForecasts:
    """At most `most_bytes` of answers, by tenant and query; the least recently read leave first."""

    def __init__(self, most_bytes: int, clock: Callable[[], float] = time.time) -> None:
        self._most_bytes = most_bytes
        self._clock = clock
        self._kept: OrderedDict[tuple[UUID, Hashable], Kept] = OrderedDict()
        self.bytes = 0

    def keep(self, tenant_id: UUID, query: Hashable, forecast: ForecastOut) -> None:
        """This is what the database says now."""
        self.drop(tenant_id, query)
        kept = Kept(forecast.model_dump_json().encode(), self._clock())
        self._kept[tenant_id, query] = kept
        self.bytes += _size(kept)
        while self.bytes > self._most_bytes:
            _, oldest = self._kept.popitem(last=False)
            self.bytes -= _size(oldest)

    def drop(self, tenant_id: UUID, query: Hashable) -> None:
        """The database no longer says it."""
        kept = self._kept.pop((tenant_id, query), None)
        if kept is not None:
            self.bytes -= _size(kept)

    def drop_tenant(self, tenant_id: UUID) -> None:
        """The tenant is no more."""
        for owner, query in [key for key in self._kept if key[0] == tenant_id]:
            self.drop(owner, query)

    def get(self, tenant_id: UUID, query: Hashable) -> ForecastOut | None:
        """The last answer to this query of this tenant, marked as degraded, with its age."""
        kept = self._kept.get((tenant_id, query))
        if kept is None:
            return None
        self._kept.move_to_end((tenant_id, query))
        age = max(0.0, self._clock() - kept.read_at)
        forecast = ForecastOut.model_validate_json(kept.body)
        return forecast.model_copy(update={"degraded": True, "age_seconds": age})


def _size(kept: Kept) -> int:
    return len(kept.body) + BESIDES


def _recent_forecasts(request: Request) -> RecentForecasts:
    recent: RecentForecasts = request.app.state.recent_forecasts
    return recent


HeldForecasts = Annotated[RecentForecasts, Depends(_recent_forecasts)]
