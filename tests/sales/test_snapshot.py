"""Stored rows as the core's series: what is known of each day, and how far the data goes."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from services.training.demand.series import Series
from services.training.sales.assemble import Window
from services.training.sales.snapshot import list_series, read_series
from shared.database import Sessions, tenant_transaction
from tests.conftest import Tenant

BASE = "/api/v1"
START = date(2026, 1, 5)  # a Monday


def day(number: int) -> str:
    return (START + timedelta(days=number)).isoformat()


def sale(number: int, quantity: float | None, product: str = "rye", **more: Any) -> dict[str, Any]:
    return {"date": day(number), "product": product, "quantity": quantity, **more}


async def send(tenant: Tenant, *rows: dict[str, Any], to: str = "sales") -> None:
    answer = await tenant.client.post(f"{BASE}/{to}", json={"rows": rows})
    assert answer.status_code == 200, answer.text


async def read(
    sessions: Sessions,
    tenant: Tenant,
    horizon_days: int = 3,
    window_days: int = 1000,
    window_rows: int | None = None,
    products: list[str] | None = None,
) -> dict[tuple[str, str], Series]:
    async with tenant_transaction(sessions, tenant.id) as session:
        keys = await list_series(session, products)
        window = Window(window_days, window_rows)
        found = await read_series(session, keys, horizon_days=horizon_days, window=window)
    assert [key.id for key in keys if key.id in found] == list(found)
    return {(series.location, series.product): series for series in found.values()}


async def read_rye(sessions: Sessions, tenant: Tenant, **options: Any) -> Series:
    return (await read(sessions, tenant, **options))["main", "rye"]


def numbers(values: pd.Series) -> list[float | None]:
    return [None if np.isnan(value) else float(value) for value in values]


async def test_closed_zero_and_missing_are_three_things(tenant: Tenant, sessions: Sessions) -> None:
    await send(
        tenant,
        *(sale(at, quantity) for at, quantity in ((0, 5), (1, 0), (3, None), (6, -2), (7, 4))),
        sale(4, 3, open=0),
        sale(2, 1, product="roll"),
        sale(3, 1, product="roll"),
        sale(7, 1, product="roll"),
    )
    history = (await read_rye(sessions, tenant)).history
    assert [stamp.date().isoformat() for stamp in history.index] == [day(at) for at in range(8)]
    # day 2: others sold; day 3: said to be unknown; day 4: closed; day 5: nobody sold
    assert numbers(history["quantity"])[:3] == [5.0, 0.0, 0.0]
    assert numbers(history["quantity"])[4:] == [None, None, 0.0, 4.0]
    assert not history["open"].iloc[4]
    assert not history["open"].iloc[5]


async def test_what_is_planned_does_not_move_data_through(
    tenant: Tenant, sessions: Sessions
) -> None:
    await send(
        tenant,
        *(sale(at, 5.0 + at, promotion=at % 2) for at in range(4)),
        sale(4, None, promotion=1, open=1),
        sale(5, None, open=0),
    )
    series = await read_rye(sessions, tenant)
    assert series.data_through.date() == START + timedelta(days=3)
    assert series.plan["open"].tolist() == [True, False, True]
    assert numbers(series.plan["promotion"])[0] == 1.0


async def test_a_closed_day_that_has_been_ends_the_history(
    tenant: Tenant, sessions: Sessions
) -> None:
    await send(
        tenant,
        *(sale(at, 5 + at) for at in range(3)),
        sale(3, None, open=0),
        sale(9, None, open=0),
        sale(4, 2, product="roll"),
    )
    series = await read_rye(sessions, tenant, horizon_days=7)
    assert series.data_through.date() == START + timedelta(days=3)
    assert not series.history["open"].iloc[-1]
    assert not series.plan["open"].iloc[5], "the closed day to come is still planned"


async def test_a_series_without_a_known_quantity_is_left_out(
    tenant: Tenant, sessions: Sessions
) -> None:
    await send(tenant, sale(0, None), sale(0, 2, product="roll"))
    assert list(await read(sessions, tenant)) == [("main", "roll")]
    assert await read(sessions, tenant, products=["no such product"]) == {}


async def test_the_window_counts_back_from_the_series_own_last_day(
    tenant: Tenant, sessions: Sessions
) -> None:
    await send(
        tenant,
        *(sale(at, 1 + at) for at in range(20)),
        *(sale(at, 1 + at, product="roll") for at in range(60)),
    )
    found = await read(sessions, tenant, window_days=7)
    assert {series.product: len(series.history) for series in found.values()} == {
        "rye": 7,
        "roll": 7,
    }
    assert numbers(found["main", "rye"].history["quantity"]) == [14, 15, 16, 17, 18, 19, 20]


async def test_the_window_reaches_what_sold_last_however_long_it_has_been_closed_since(
    tenant: Tenant, sessions: Sessions
) -> None:
    await send(
        tenant,
        *(sale(at, 1 + at) for at in range(20)),
        *(sale(at, None, open=0) for at in range(20, 60)),
        *(sale(at, 1 + at, product="roll") for at in range(60)),
    )
    found = await read(sessions, tenant, window_days=30)
    history = found["main", "rye"].history
    assert numbers(history["quantity"].dropna()) == [float(1 + at) for at in range(20)]
    assert len(history) == 60


async def test_the_most_specific_word_on_a_day_counts(tenant: Tenant, sessions: Sessions) -> None:
    await send(tenant, *(sale(at, 1 + at % 3, price=99 if at == 6 else None) for at in range(8)))
    words = [
        {},
        {"location": "main"},
        {"product": "rye"},
        {"location": "main", "product": "rye"},
    ]
    for rank, place in enumerate(words):
        rows = [
            {"date": day(at), "rain": 10 * rank + at, "price": 10 * rank + at} | place
            for at in range(10)
            if at % 4 >= rank
        ]
        await send(tenant, *rows, to="regressors")
    await send(tenant, {"date": day(1), "product": "roll", "rain": 1000}, to="regressors")
    series = await read_rye(sessions, tenant)
    wanted = [float(10 * (at % 4) + at) for at in range(10)]
    both = pd.concat([series.history["rain"], series.plan["rain"]])
    assert numbers(both) == [*wanted, None]
    prices = numbers(series.history["price"])
    assert prices == [99.0 if at == 6 else wanted[at] for at in range(8)]


async def test_open_may_be_told_for_a_whole_location(tenant: Tenant, sessions: Sessions) -> None:
    await send(tenant, *(sale(at, quantity) for at, quantity in enumerate([3, 0, 4, 0, 5])))
    rows = [{"date": day(at), "location": "main", "open": 0} for at in (1, 2, 6)]
    await send(tenant, *rows, to="regressors")
    series = await read_rye(sessions, tenant)
    assert numbers(series.history["quantity"]) == [3, None, 4, 0, 5]
    assert series.history["open"].tolist() == [True, False, True, True, True]
    assert series.plan["open"].tolist() == [True, False, True]
    assert series.regressors == ()


async def test_what_was_never_known_of_the_past_is_left_out(
    tenant: Tenant, sessions: Sessions
) -> None:
    await send(tenant, *(sale(at, at) for at in range(1, 9)), sale(3, 1, product="roll", wind=2))
    await send(tenant, {"date": day(9), "rain": 1}, to="regressors")
    assert (await read_rye(sessions, tenant)).regressors == ()


async def test_events_and_holidays_are_those_of_the_location(
    tenant: Tenant, sessions: Sessions
) -> None:
    put = tenant.client.put
    await send(tenant, sale(0, 1), sale(0, 1, location="Wien"), sale(0, 1, location="süd"))
    place = {"name": "x", "latitude": 48, "longitude": 16}
    await put(f"{BASE}/locations/Wien", json=place | {"country": "AT"})
    await put(f"{BASE}/locations/süd", json=place | {"subdivision": "BY"})
    fair = {"name": "Fair", "dates": [day(2)], "window_before": 1, "locations": ["main", "süd"]}
    await put(f"{BASE}/events/fair", json=fair)
    await put(f"{BASE}/events/all", json={"name": "All", "dates": [day(3), day(1)]})
    found = await read(sessions, tenant)
    assert {place: (s.country, s.subdivision) for (place, _), s in found.items()} == {
        "main": ("DE", "SH"),
        "süd": ("DE", "BY"),
        "Wien": ("AT", None),
    }
    assert [event.name for event in found["Wien", "rye"].events] == ["All"]
    everywhere, local = found["main", "rye"].events
    assert everywhere.dates == (START + timedelta(days=1), START + timedelta(days=3))
    assert (local.name, local.window_before) == ("Fair", 1)


async def test_the_window_counts_the_rows_that_are_known(
    tenant: Tenant, sessions: Sessions
) -> None:
    sold = [{"date": day(n), "product": "rye", "quantity": n + 1} for n in (0, 1, 2, 5, 9)]
    await send(tenant, *sold)
    [series] = (await read(sessions, tenant, window_rows=3)).values()
    assert series.history.index[0].date().isoformat() == day(2)
    [short] = (await read(sessions, tenant, window_rows=3, window_days=2)).values()
    assert short.history.index[0].date().isoformat() == day(9)
