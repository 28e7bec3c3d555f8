"""What is laid beside a series: held against the rows, day by day and lead by lead, naively."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from services.training.demand.series import Series
from services.training.sources.beside.basis import Basis, read_basis
from services.training.sources.beside.surroundings import read_surroundings, with_surroundings
from services.training.sources.kinds import SourceName
from services.training.sources.weather.cells import Cell
from services.training.sources.weather.days import DaysRead, WeatherRow, foreseen, keep_days
from shared.database import tenant_transaction
from tests.sources.conftest import Desk
from tests.sources.upstreams import said

START, KNOWN, AHEAD = date(2026, 1, 5), 120, 28
THROUGH = START + timedelta(days=KNOWN - 1)
CELL = "54.3,10.1"
ZONE = ZoneInfo("Europe/Berlin")


@dataclass(frozen=True)
class Sky:
    """Rows of weather by (day, lead)."""

    rows: dict[tuple[date, int], float]


def sky(seed: int = 1, *, forecasts: bool = True) -> Sky:
    """Two years of what came until the last day sold, and forecasts up to ten days ahead."""
    random = np.random.default_rng(seed)
    rows = {
        (THROUGH - timedelta(days=back), 0): float(np.round(random.normal(10, 5), 1))
        for back in range(800)
    }
    if forecasts:
        for n in range(KNOWN + 20):
            for lead in range(1, 11):
                if n - lead < KNOWN:
                    day = START + timedelta(days=n)
                    rows[day, lead] = float(np.round(random.normal(10, 5), 1))
    return Sky(rows)


def known_at(day: date, lead: int) -> datetime:
    return datetime.combine(day - timedelta(days=lead - 1), time.min, tzinfo=ZONE).astimezone(UTC)


def series(location: str = "main", **columns: list[float]) -> Series:
    index = pd.date_range(START, periods=KNOWN, name="date")
    ahead = pd.date_range(THROUGH + timedelta(days=1), periods=AHEAD, name="date")
    history = pd.DataFrame({"quantity": 5.0, "open": True, "stockout": False}, index=index)
    plan = pd.DataFrame({"open": True}, index=ahead)
    for name, values in columns.items():
        history[name], plan[name] = values[:KNOWN], values[KNOWN:]
    return Series("rye", location, "DE", "SH", history, plan)


async def store(desk: Desk, told: Sky) -> None:
    desk.stand.answer = lambda _: said({}, 404)
    await desk.connect("weather", "open-meteo")
    await desk.rows("DELETE FROM weather_days")
    rows = [
        WeatherRow(CELL, day, lead, known_at(day, lead), {"temp_mean": value})
        for (day, lead), value in told.rows.items()
    ]
    async with tenant_transaction(desk.sessions, desk.tenant.id) as session:
        await keep_days(session, rows)


async def beside(desk: Desk, of: Series | None = None) -> Series:
    found = of or series()
    async with tenant_transaction(desk.sessions, desk.tenant.id) as session:
        return with_surroundings(found, await read_surroundings(session, [found]))


def usual(told: Sky, day: date) -> float:
    """What came within a week of the day in the earlier years, on the average."""
    near = [day - timedelta(days=365 * year + off) for year in range(1, 5) for off in range(-7, 8)]
    return float(np.mean([told.rows[each, 0] for each in near if (each, 0) in told.rows]))


def by_hand(told: Sky, day: date, lead: int) -> float:
    """What was forecast on that day, else the last forecast before, else what is usual."""
    for longer in range(lead, 17):
        if (day, longer) in told.rows:
            return told.rows[day, longer]
    return usual(told, day)


async def test_the_past_is_as_it_came_and_folds_see_what_was_foreseen_then(desk: Desk) -> None:
    told = sky()
    await store(desk, told)
    found = await beside(desk)
    assert found.regressors == ("temp_mean",)  # of precipitation nothing is known
    for n in range(KNOWN):
        day = START + timedelta(days=n)
        assert found.history["temp_mean"].iloc[n] == told.rows[day, 0]
    table = found.foreseen["temp_mean"]
    assert table.shape == (KNOWN + AHEAD, AHEAD)
    for n in range(KNOWN):
        for lead in range(1, AHEAD + 1):
            day = START + timedelta(days=n)
            assert table[n, lead - 1] == pytest.approx(by_hand(told, day, lead), abs=0.051)


async def test_the_days_ahead_are_as_forecast_now_and_then_as_usual(desk: Desk) -> None:
    told = sky()
    later = {  # two days on, nothing new has been sold, and the forecast has moved on
        (THROUGH + timedelta(days=n), lead): 30.0 + n for n in range(3, 13) for lead in (n - 2,)
    }
    await store(desk, Sky(told.rows | later))
    plan = (await beside(desk)).plan["temp_mean"]
    assert list(plan.iloc[2:12]) == [30.0 + n for n in range(3, 13)]
    for n in range(13, AHEAD + 1):
        day = THROUGH + timedelta(days=n)
        assert plan.iloc[n - 1] == pytest.approx(usual(told, day), abs=0.051)


@pytest.mark.parametrize("origin", [20, 60, 100, KNOWN - 1])
async def test_what_became_known_after_an_origin_changes_nothing_before_it(
    desk: Desk, origin: int
) -> None:
    """Every word of a later day, on whatever day it is, replaced by nonsense."""
    told = sky()
    at = START + timedelta(days=origin)
    changed = {
        (day, lead): -50.0 if day - timedelta(days=lead) > at else value
        for (day, lead), value in told.rows.items()
    }
    assert changed != told.rows or origin == KNOWN - 1
    await store(desk, told)
    before = await beside(desk)
    await store(desk, Sky(changed))
    after = await beside(desk)
    unknown = {"temp_mean": np.full(min(AHEAD, KNOWN - origin - 1), np.nan)}
    as_of = [each.known_at(origin + 1, AHEAD, unknown).to_bytes() for each in (before, after)]
    assert as_of[0] == as_of[1]
    if origin < KNOWN - 1:
        assert before.to_bytes() != after.to_bytes()


async def test_weather_that_stayed_away_is_stood_in_for(desk: Desk) -> None:
    """The last days were not read: what was foreseen of them last, then what is usual."""
    told = sky()
    for back in range(10):
        del told.rows[THROUGH - timedelta(days=back), 0]
    for n in range(KNOWN - 5, KNOWN + 20):
        for lead in range(1, 17):
            told.rows.pop((START + timedelta(days=n), lead), None)
    await store(desk, told)
    found = await beside(desk)
    for back in range(10):
        day = THROUGH - timedelta(days=back)
        expected = told.rows.get((day, 1)) or usual(told, day)
        assert found.history["temp_mean"].iloc[KNOWN - 1 - back] == pytest.approx(
            expected, abs=0.051
        )
    assert found.plan["temp_mean"].iloc[0] == pytest.approx(
        usual(told, THROUGH + timedelta(1)), abs=0.051
    )


async def test_what_stands_in_for_a_source_that_is_away_is_said(desk: Desk) -> None:
    async def basis(source: SourceName, today: date) -> Basis:
        async with tenant_transaction(desk.sessions, desk.tenant.id) as session:
            return await read_basis(session, source, today)

    tomorrow, later = THROUGH + timedelta(days=1), THROUGH + timedelta(days=70)
    assert await basis(SourceName.WEATHER, tomorrow) is Basis.NONE
    await store(desk, sky())
    assert await basis(SourceName.WEATHER, tomorrow) is Basis.STORED
    assert await basis(SourceName.WEATHER, later) is Basis.USUAL
    assert await basis(SourceName.TRAFFIC, tomorrow) is Basis.NONE
    await desk.rows(
        "INSERT INTO traffic_days VALUES ($1, 'main', $2, 5, 1, now())", desk.tenant.id, THROUGH
    )
    assert await basis(SourceName.TRAFFIC, tomorrow) is Basis.STORED
    assert await basis(SourceName.TRAFFIC, later) is Basis.USUAL
    assert await basis(SourceName.SALES, later) is Basis.STORED


async def test_too_little_weather_is_none(desk: Desk) -> None:
    told = sky()
    for n in range(KNOWN // 2 + 5):
        del told.rows[START + timedelta(days=n), 0]
    await store(desk, told)
    assert (await beside(desk)).regressors == ()
    assert (await beside(desk, series("elsewhere"))).regressors == ()


async def test_what_the_tenant_tells_itself_goes_before(desk: Desk) -> None:
    await store(desk, sky())
    own = [1.0] * (KNOWN + AHEAD)
    found = await beside(desk, series(temp_mean=own))
    assert list(found.history["temp_mean"]) == own[:KNOWN]
    assert found.foreseen == {}


async def test_without_a_source_a_series_stays_as_it_is(desk: Desk) -> None:
    plain = series()
    assert await beside(desk, plain) is plain


async def test_traffic_to_come_is_that_of_its_weekday_by_what_had_been(desk: Desk) -> None:
    def level(day: date) -> float:
        return float(100 + 10 * day.weekday() + (day.toordinal() * 7919) % 13)

    await desk.connect("traffic", "http")
    for n in range(-10, KNOWN):
        day = START + timedelta(days=n)
        await desk.rows(
            "INSERT INTO traffic_days VALUES ($1, 'main', $2, $3, 1, now())",
            desk.tenant.id, day, level(day),
        )  # fmt: skip
    found = await beside(desk)
    assert list(found.history["traffic"]) == [level(START + timedelta(n)) for n in range(KNOWN)]
    for n in (40, 80, KNOWN - 1, KNOWN, KNOWN + AHEAD - 1):
        for lead in (1, 6, 7, 8, 21, AHEAD):
            day, origin = START + timedelta(n), START + timedelta(n - lead)
            weeks = [day - timedelta(7 * week) for week in range(1, 30)]
            had_been = [level(each) for each in weeks if each <= origin][:8]
            last_weeks = [
                level(each) for each in weeks[-(-lead // 7) - 1 :][:8]
                if START - timedelta(10) <= each <= min(origin, THROUGH)
            ]  # fmt: skip
            assert len(had_been) == 8
            assert found.foreseen["traffic"][n, lead - 1] == pytest.approx(
                np.mean(last_weeks), abs=0.001
            )


def test_the_mornings_forecast_is_what_the_evening_before_knows() -> None:
    cell = Cell(54.3, 10.1, ZONE)
    read = DaysRead([date(2026, 5, 20), date(2026, 5, 21)], {"temp_mean": np.array([1.0, 2.0])})
    early = foreseen(cell, read, datetime(2026, 5, 20, 3, tzinfo=UTC))
    late = foreseen(cell, read, datetime(2026, 5, 20, 15, tzinfo=UTC))
    assert [(row.date.day, row.lead) for row in early] == [(20, 1), (21, 2)]
    assert [(row.date.day, row.lead) for row in late] == [(21, 1)]
