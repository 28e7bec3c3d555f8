"""What surrounds a tenant's series, read once for many of them and laid beside each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from services.training.demand.series import Series
from services.training.sources import store
from services.training.sources.beside import traffic, weather
from services.training.sources.beside.climatology import AROUND, YEAR, YEARS
from services.training.sources.beside.traffic import LocationTraffic
from services.training.sources.beside.weather import CellWeather, Told
from services.training.sources.connected import read_locations
from services.training.sources.kinds import Kind, SourceName
from services.training.sources.options import WeatherOptions
from services.training.sources.weather.cells import key_of

TRAFFIC: Final = "traffic"
EARLIER: Final = timedelta(days=YEARS * YEAR + AROUND)


@dataclass(frozen=True, slots=True, eq=False)
class Surroundings:
    """Of a tenant's locations: the weather of their cells, and their traffic."""

    variables: Sequence[str] = ()
    cell_of: Mapping[str, str] = field(default_factory=dict)
    cells: Mapping[str, CellWeather] = field(default_factory=dict)
    traffic: Mapping[str, LocationTraffic] = field(default_factory=dict)

    def told_of(self, series: Series) -> dict[str, Told]:
        """The regressors that surround it, by name; what the tenant itself told goes before."""
        start, known, ahead = _span(series)
        found: dict[str, Told | None] = {}
        cell = self.cells.get(self.cell_of.get(series.location, ""))
        if cell is not None:
            for name in self.variables:
                found[name] = weather.told_of(cell, name, start, known, ahead)
        if series.location in self.traffic:
            found[TRAFFIC] = traffic.told_of(self.traffic[series.location], start, known, ahead)
        return {
            name: told
            for name, told in found.items()
            if told is not None and name not in series.regressors
        }


async def read_surroundings(session: AsyncSession, series: Iterable[Series]) -> Surroundings:
    """All that is stored around these series; nothing where no source is connected."""
    listed = list(series)
    sources = await store.read_sources(session)
    kinds = {name: Kind(source.kind) for name, source in sources.items()}
    has_weather = kinds[SourceName.WEATHER] is not Kind.NONE
    has_traffic = kinds[SourceName.TRAFFIC] is not Kind.NONE
    if not listed or not (has_weather or has_traffic):
        return Surroundings()
    locations = sorted({each.location for each in listed})
    cell_of = {
        each.name: key_of(each.latitude, each.longitude)
        for each in await read_locations(session)
        if each.latitude is not None and each.longitude is not None and each.name in locations
    }
    first, last = _days(listed)
    options = WeatherOptions.model_construct()
    if has_weather:
        kept = sources[SourceName.WEATHER].options.get("variables", options.variables)
        options = WeatherOptions(variables=kept)
    cells = sorted(set(cell_of.values())) if has_weather else []
    sampled = kinds[SourceName.TRAFFIC] is Kind.FLOW
    return Surroundings(
        variables=options.variables,
        cell_of=cell_of,
        cells=await weather.read_cells(session, cells, first - EARLIER, last),
        traffic=await traffic.read_traffic(
            session, locations if has_traffic else [], first - EARLIER, last, sampled=sampled
        ),
    )


def with_surroundings(series: Series, around: Surroundings) -> Series:
    """The series with what surrounds it as regressors, and what was foreseen of them."""
    told = around.told_of(series)
    if not told:
        return series
    history, plan = series.history.copy(), series.plan.copy()
    for name, each in told.items():
        history[name] = each.past
        plan[name] = float("nan")  # the series reads it off what is foreseen
    foreseen = {**series.foreseen, **{name: each.foreseen for name, each in told.items()}}
    return replace(series, history=history, plan=plan, foreseen=foreseen)


def _span(series: Series) -> tuple[date, int, int]:
    return series.history.index[0].date(), len(series.history), len(series.plan)


def _days(series: Sequence[Series]) -> tuple[date, date]:
    spans = [_span(each) for each in series]
    last = max(start + timedelta(days=known + ahead) for start, known, ahead in spans)
    return min(start for start, _, _ in spans), last
