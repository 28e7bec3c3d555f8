"""Which days are answered, and their quantiles."""

import numpy as np
import pytest

from services.training.demand.prediction import LEVELS
from tests.forecasts.conftest import Stall
from tests.models.made_models import forecast_days


@pytest.mark.parametrize(
    ("query", "first", "count"),
    [
        ({}, "2026-07-01", 14),
        ({"days": 3}, "2026-07-01", 3),
        ({"from": "2026-07-05"}, "2026-07-05", 10),
        ({"from": "2026-07-05", "days": 2}, "2026-07-05", 2),
        ({"from": "2026-07-14"}, "2026-07-14", 1),
    ],
)
async def test_the_days_that_were_asked_for(
    stall: Stall, query: dict[str, str], first: str, count: int
) -> None:
    await stall.train(1)
    days = (await stall.ask(**query))["days"]
    assert (days[0]["date"], len(days)) == (first, count)


@pytest.mark.parametrize(
    "query",
    [
        {"days": 15},
        {"days": 0},
        {"days": 401},
        {"days": "x"},
        {"from": "2026-06-30"},
        {"from": "2026-07-15"},
        {"from": "2026-07-14", "days": 2},
        {"from": "0001-01-01"},
        {"from": "2026-02-30"},
        {"product": ""},
        {"product": "a\0"},
    ],
)
async def test_days_outside_the_forecast_are_refused(stall: Stall, query: dict[str, str]) -> None:
    await stall.train(1)
    problem = await stall.ask(422, **query)
    assert problem["errors"][0]["field"] in (*query, "from", "days")


async def test_the_way_out_is_named(stall: Stall) -> None:
    await stall.train(1)
    problem = await stall.ask(422, days=15)
    assert "2026-07-01 to 2026-07-14" in problem["detail"]


async def test_more_days_than_a_default_horizon_are_the_baselines_to_give(stall: Stall) -> None:
    assert len((await stall.ask(days=60))["days"]) == 60


async def test_quantiles_are_those_stored_and_linear_between(stall: Stall) -> None:
    await stall.train(1)
    levels = ["0.01", "0.07", "0.1", "0.33", "0.5", "0.925", "0.99"]
    [day] = (await stall.ask(days=1, quantiles=",".join(levels)))["days"]
    stored = forecast_days(1)[0]["quantiles"]
    expected = np.interp([float(level) for level in levels], LEVELS, stored)
    assert list(day["quantiles"]) == levels
    assert list(day["quantiles"].values()) == pytest.approx(expected)


async def test_whole_units_are_the_quantiles_rounded_and_leave_the_mean(stall: Stall) -> None:
    await stall.train(1)
    exact, whole = await stall.ask(), await stall.ask(whole=True)
    for day, rounded in zip(exact["days"], whole["days"], strict=True):
        assert rounded["mean"] == day["mean"]
        for level, quantile in day["quantiles"].items():
            assert rounded["quantiles"][level] == np.floor(quantile + 0.5)
    assert exact["days"] != whole["days"]


async def test_quantiles_rise_and_are_never_negative(stall: Stall) -> None:
    levels = [f"{level / 100:.2f}" for level in range(1, 100, 5)]
    for days in (await stall.ask(quantiles=",".join(levels)))["days"]:
        values = list(days["quantiles"].values())
        assert values == sorted(values)
        assert values[0] >= 0


@pytest.mark.parametrize(
    "quantiles", ["", "x", "0", "1", "0.005", "nan", "inf", "0.5,,0.9", ",".join(["0.5"] * 26)]
)
async def test_levels_that_are_none_are_refused(stall: Stall, quantiles: str) -> None:
    problem = await stall.ask(422, quantiles=quantiles)
    assert problem["errors"][0]["field"] == "quantiles"
