"""Weather from Open-Meteo: what it is asked, what is kept of it, and what is refused."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from tests.sources.conftest import NOW, Desk
from tests.sources.sample_suppliers import sample_at
from tests.sources.upstreams import Answer, Asked, said

TODAY = NOW.date()
COLUMNS = "cell, date, lead, known_at, temp_mean, precipitation"


def series_of(asked: Asked, **wrong: Any) -> dict[str, Any]:
    """What Open-Meteo would say, of even weather; `wrong` replaces variables."""
    first, last = (date.fromisoformat(asked.query[name]) for name in ("start_date", "end_date"))
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    part, names = ("daily", asked.query.get("daily")) if "daily" in asked.query else (
        "hourly", asked.query.get("hourly"),
    )  # fmt: skip
    times = [str(day) for day in days]
    if part == "hourly":
        times = [f"{day}T{hour:02d}:00" for day in days for hour in range(24)]
    values: dict[str, Any] = {name: [1.0] * len(times) for name in (names or "").split(",")}
    return {part: {"time": times, **values, **{k: v for k, v in wrong.items() if k in values}}}


def even(asked: Asked) -> Answer:
    count = asked.query["latitude"].count(",") + 1
    body = series_of(asked)
    return said(body if count == 1 else [body] * count)


async def sell_since(desk: Desk, day: date) -> None:
    rows = [{"date": str(each), "product": "rye", "quantity": 5} for each in (day, TODAY)]
    answer = await desk.tenant.client.post("/api/v1/sales", json={"rows": rows})
    assert answer.status_code == 200, answer.text


@pytest.fixture
async def desk(desk: Desk) -> Desk:
    """One that has sold for a month."""
    await sell_since(desk, TODAY - timedelta(days=30))
    return desk


async def test_what_it_is_asked_is_what_it_documents(desk: Desk) -> None:
    desk.stand.answer = even
    await desk.connect("weather", "open-meteo", credentials="k3y")
    assert (await desk.sync("weather")).error is None
    forecast, *archives, previous = desk.stand.asked
    assert forecast.path == "/v1/forecast"
    assert forecast.query == {
        "latitude": "54.3",
        "longitude": "10.1",
        "start_date": str(TODAY - timedelta(days=10)),
        "end_date": str(TODAY + timedelta(days=15)),
        "timezone": "Europe/Berlin",
        "wind_speed_unit": "ms",
        "daily": "temperature_2m_mean,temperature_2m_min,temperature_2m_max,precipitation_sum,"
        "wind_speed_10m_max,sunshine_duration",
        "apikey": "k3y",
    }
    assert {asked.path for asked in archives} == {"/v1/archive"}
    spans = [(asked.query["start_date"], asked.query["end_date"]) for asked in archives]
    assert spans[0][0] == str(TODAY - timedelta(days=30 + 373))
    assert spans[-1][1] == str(TODAY - timedelta(days=2))
    assert previous.path == "/v1/forecast"
    assert "temperature_2m_previous_day7" in previous.query["hourly"]
    assert "daily" not in previous.query


async def test_all_locations_of_a_cell_are_asked_about_once_and_cells_together(
    desk: Desk,
) -> None:
    for name, latitude in (("a", 54.31), ("b", 54.28), ("c", 48.1)):
        body = {"name": name, "latitude": latitude, "longitude": 10.14}
        answer = await desk.tenant.client.put(f"/api/v1/locations/{name}", json=body)
        assert answer.status_code == 200, answer.text
    desk.stand.answer = even
    await desk.connect("weather", "open-meteo")
    assert (await desk.sync("weather")).error is None
    assert {asked.query["latitude"] for asked in desk.stand.asked} == {"54.3,48.1"}
    assert {asked.query["longitude"] for asked in desk.stand.asked} == {"10.1,10.1"}
    cells = await desk.rows("SELECT DISTINCT cell FROM weather_days ORDER BY 1")
    assert [row["cell"] for row in cells] == ["48.1,10.1", "54.3,10.1"]


async def test_days_are_kept_as_they_came_and_as_they_were_foreseen(desk: Desk) -> None:
    """Against the sample's own weather, day by day and lead by lead."""
    now = datetime(2026, 5, 20, 6, tzinfo=UTC)
    async with sample_at(now) as (url, sample):
        await sell_since(desk, TODAY - timedelta(days=100))
        await desk.connect("weather", "open-meteo", base_url=url)
        ended = await desk.sync("weather")
        assert (ended.error, ended.warnings) == (None, ())
    rows = await desk.rows(f"SELECT {COLUMNS} FROM weather_days")
    assert len(rows) == ended.rows - 6  # the archive's last days replace the forecast's
    kept = {(row["date"], row["lead"]): row for row in rows}
    for day in (TODAY - timedelta(days=n) for n in range(1, 400)):
        came = sample.skies.as_came(day)
        assert kept[day, 0]["temp_mean"] == came["temp_mean"], day
        assert kept[day, 0]["precipitation"] == came["precipitation"], day
    for lead in range(1, 17):  # the morning's forecast is what the evening before knows
        day = TODAY + timedelta(days=lead - 1)
        assert kept[day, lead]["temp_mean"] == sample.skies.as_foreseen(day, lead)["temp_mean"]
        assert kept[day, lead]["known_at"] == now
    for day in (TODAY - timedelta(days=n) for n in range(1, 100)):
        for lead in range(1, 8):
            then = sample.skies.as_foreseen(day, lead)
            assert kept[day, lead]["temp_mean"] == pytest.approx(then["temp_mean"])
            assert kept[day, lead]["precipitation"] == pytest.approx(
                then["precipitation"], abs=0.01
            )
            assert kept[day, lead]["known_at"].date() == day - timedelta(days=lead)


async def test_the_next_sync_reads_only_what_came_since(desk: Desk) -> None:
    async with sample_at(NOW) as (url, sample):
        await desk.connect("weather", "open-meteo", base_url=url)
        first = await desk.sync("weather")
        before = sample.mishaps.calls["weather"]
        second = await desk.sync("weather")
    assert (first.error, second.error) == (None, None)
    assert (
        sample.mishaps.calls["weather"] - before == 2
    )  # the forecast, and the archive's last days
    assert second.rows < 50


async def test_a_back_fill_that_broke_goes_on_where_it_ended(desk: Desk) -> None:
    archives = 0

    def breaking(asked: Asked) -> Answer:
        nonlocal archives
        archives += asked.path == "/v1/archive"
        return said({"error": True, "reason": "enough"}, 400) if archives == 2 else even(asked)

    await sell_since(desk, TODAY - timedelta(days=600))
    desk.stand.answer = breaking
    await desk.connect("weather", "open-meteo")
    broken = await desk.sync("weather")
    assert broken.error is not None
    assert broken.error["code"] == "upstream_status"
    assert "enough" in broken.error["message"]
    before = len(desk.stand.asked)
    desk.stand.answer = even
    assert (await desk.sync("weather")).error is None
    went_on = [asked for asked in desk.stand.asked[before:] if asked.path == "/v1/archive"]
    first = date.fromisoformat(went_on[0].query["start_date"])
    assert first > TODAY - timedelta(days=600 + 373) + timedelta(days=300)
    assert (await desk.shown("weather"))["gap_days"] == 0


async def test_weather_of_sales_that_came_later_is_read_afterwards(desk: Desk) -> None:
    """The first sync may come before the first sales, or before older ones."""
    desk.stand.answer = even
    await desk.connect("weather", "open-meteo")
    await desk.sync("weather")
    await sell_since(desk, TODAY - timedelta(days=800))
    assert (await desk.sync("weather")).error is None
    [kept] = await desk.rows("SELECT min(date) FROM weather_days WHERE lead = 0")
    assert kept[0] == TODAY - timedelta(days=800 + 373)
    [then] = await desk.rows("SELECT min(date) FROM weather_days WHERE lead = 7")
    assert then[0] == TODAY - timedelta(days=800)
    shown = await desk.shown("weather")
    assert (shown["gap_days"], shown["data_through"]) == (0, str(TODAY - timedelta(days=1)))
    before = len(desk.stand.asked)
    await desk.sync("weather")
    assert len(desk.stand.asked) - before == 2


async def test_late_days_of_the_archive_replace_what_stood_for_them(desk: Desk) -> None:
    async with sample_at(NOW) as (url, _):
        await desk.connect("weather", "open-meteo", base_url=url)
        await desk.sync("weather")
    [before] = await desk.rows(
        "SELECT known_at FROM weather_days WHERE lead = 0 AND date = $1", TODAY - timedelta(days=4)
    )
    desk.now = NOW + timedelta(days=3)
    desk.stand.answer = even
    await desk.connect("weather", "open-meteo")
    await desk.sync("weather")
    [after] = await desk.rows(
        "SELECT known_at, temp_mean FROM weather_days WHERE lead = 0 AND date = $1",
        TODAY - timedelta(days=4),
    )
    assert before["known_at"] < after["known_at"]
    assert after["temp_mean"] == 1.0


async def test_an_older_word_never_replaces_a_newer(desk: Desk) -> None:
    desk.stand.answer = even
    await desk.connect("weather", "open-meteo")
    await desk.sync("weather")
    desk.now = NOW - timedelta(hours=3)
    desk.stand.answer = lambda asked: said(
        series_of(asked, temperature_2m_mean=[9.0] * 26) if "daily" in asked.query else {}
    )
    await desk.sync("weather")
    rows = await desk.rows(
        "SELECT DISTINCT temp_mean FROM weather_days WHERE lead BETWEEN 1 AND 15"
    )
    assert [row["temp_mean"] for row in rows] == [1.0]


async def test_without_forecasts_of_the_past_a_sync_succeeds_and_says_so(desk: Desk) -> None:
    desk.stand.answer = lambda asked: (
        even(asked) if "daily" in asked.query else said({"error": True, "reason": "no"}, 400)
    )
    await desk.connect("weather", "open-meteo")
    ended = await desk.sync("weather")
    assert ended.error is None
    assert [warning["code"] for warning in ended.warnings] == ["no_previous_runs"]


async def test_a_tenant_without_coordinates_is_told_what_to_do(desk: Desk) -> None:
    await desk.rows("UPDATE locations SET latitude = NULL, longitude = NULL")
    await desk.connect("weather", "open-meteo")
    ended = await desk.sync("weather")
    assert ended.error is not None
    assert ended.error["code"] == "no_coordinates"
    assert desk.stand.asked == []


def daily(**wrong: Any) -> Any:
    return lambda asked: said(series_of(asked, **wrong))


def days_off(days: int) -> Any:
    def answer(asked: Asked) -> Answer:
        body = series_of(asked)
        first = date.fromisoformat(asked.query["start_date"]) + timedelta(days=days)
        count = len(body["daily"]["time"])
        body["daily"]["time"] = [str(first + timedelta(days=n)) for n in range(count)]
        return said(body)

    return answer


def repeated(asked: Asked) -> Answer:
    body = series_of(asked)
    body["daily"]["time"] = [body["daily"]["time"][0]] * len(body["daily"]["time"])
    return said(body)


def in_unit(unit: Any) -> Any:
    return lambda asked: said(series_of(asked) | {"daily_units": {"temperature_2m_mean": unit}})


ANNOYANCES: list[tuple[str, Any, str]] = [
    ("malformed", lambda _: (200, b'{"daily": {'), "upstream_malformed"),
    ("NaN", lambda _: (200, b'{"daily": {"time": [NaN]}}'), "upstream_malformed"),
    ("a reason with 400", lambda _: said({"error": True, "reason": "No."}, 400), "upstream_status"),
    ("a reason with 200", lambda _: said({"error": True, "reason": "No."}), "refused"),
    ("a list for one place", lambda asked: said([series_of(asked)]), "wrong_type"),
    ("null", lambda _: said(None), "wrong_type"),
    ("no days", lambda _: said({"latitude": 54}), "wrong_type"),
    ("no variables", lambda _: said({"daily": {"time": []}}), "malformed_answer"),
    ("days as one text", lambda _: said({"daily": {"time": "2026-05-01"}}), "wrong_type"),
    ("too few values", daily(temperature_2m_mean=[1.0]), "wrong_type"),
    ("text for a number", daily(temperature_2m_mean=["1"] * 26), "wrong_type"),
    ("booleans", daily(precipitation_sum=[True] * 26), "wrong_type"),
    ("a heat nobody survives", daily(temperature_2m_max=[1e6] * 26), "value_out_of_range"),
    ("rain that falls upward", daily(precipitation_sum=[-1.0] * 26), "value_out_of_range"),
    ("days that were not asked for", days_off(3), "date_out_of_range"),
    ("days of long ago", days_off(-9000), "date_out_of_range"),
    ("one day again and again", repeated, "days_out_of_order"),
    ("Fahrenheit", in_unit("°F"), "unexpected_unit"),
    ("a unit that is a list", in_unit([]), "unexpected_unit"),
]  # fmt: skip


async def test_whatever_comes_ends_in_a_named_error_and_nothing_is_kept(desk: Desk) -> None:
    for number, (what, answer, code) in enumerate(ANNOYANCES):
        desk.stand.answer = answer
        url = f"{desk.stand.url}/{number}"
        await desk.connect("weather", "open-meteo", base_url=url, credentials="k3y")
        ended = await desk.sync("weather")
        assert ended.error is not None, what
        assert ended.error["code"] == code, (what, ended.error)
        assert "k3y" not in str(ended.error), what
    assert await desk.rows("SELECT * FROM weather_days") == []


async def test_nulls_are_days_of_which_nothing_is_known(desk: Desk) -> None:
    def late(asked: Asked) -> Answer:
        if "hourly" in asked.query:
            return said(series_of(asked))
        length = len(series_of(asked)["daily"]["time"])
        values = {
            name: [2.0] * (length - 5) + [None] * 5 for name in asked.query["daily"].split(",")
        }
        return said(series_of(asked, **values))

    desk.stand.answer = late
    await desk.connect("weather", "open-meteo")
    assert (await desk.sync("weather")).error is None
    [last] = await desk.rows("SELECT max(date) FROM weather_days WHERE lead = 0")
    assert last[0] == TODAY - timedelta(days=1)
    [furthest] = await desk.rows("SELECT max(date) FROM weather_days")
    assert furthest[0] == TODAY + timedelta(days=10)
