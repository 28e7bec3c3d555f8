"""A series keeps what it is given, in one canonical form."""

from __future__ import annotations

import pickle
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from services.training.demand.series import Event, MalformedSeriesError, Series
from tests.demand.made_series import bakery_series, series_of

numbers = st.floats(allow_nan=True, allow_infinity=False)


@st.composite
def any_series(draw: st.DrawFn) -> Series:
    days, horizon = draw(st.integers(1, 20)), draw(st.integers(0, 5))
    names = draw(st.lists(st.text(min_size=1, max_size=8), max_size=3, unique=True))
    names = [name for name in names if name not in ("quantity", "open", "stockout")]
    start = draw(st.dates(date(1990, 1, 1), date(2090, 1, 1)))
    index = pd.date_range(start, periods=days + horizon, name="date")

    def column(count: int) -> np.ndarray:
        return np.array(draw(st.lists(numbers, min_size=count, max_size=count)), dtype=float)

    def flags(count: int) -> np.ndarray:
        return np.array(draw(st.lists(st.booleans(), min_size=count, max_size=count)), dtype=bool)

    history = pd.DataFrame(
        {"quantity": column(days), "open": flags(days), "stockout": flags(days)}
        | {name: column(days) for name in names},
        index=index[:days],
    )
    plan = pd.DataFrame(
        {"open": flags(horizon)} | {name: column(horizon) for name in names}, index=index[days:]
    )
    event = Event(draw(st.text(max_size=5)), tuple(draw(st.lists(st.dates(), max_size=3))), 1, 2)
    product, subdivision = draw(st.text()), draw(st.none() | st.text())
    return Series(product, "main", "DE", subdivision, history, plan, (event,))


@settings(max_examples=60, deadline=None)
@given(any_series())
def test_bytes_give_the_series_back_exactly(series: Series) -> None:
    again = Series.from_bytes(series.to_bytes())
    assert_frame_equal(again.history, series.history, check_exact=True)
    assert_frame_equal(again.plan, series.plan, check_exact=True)
    assert (again.product, again.location, again.country, again.subdivision, again.events) == (
        series.product,
        series.location,
        series.country,
        series.subdivision,
        series.events,
    )
    assert again.to_bytes() == series.to_bytes()


def test_equal_content_has_equal_bytes_whatever_the_order_of_columns() -> None:
    series = bakery_series(regressors={"wind": (1.0, True), "rain": (2.0, False)})
    shuffled = Series(
        series.product,
        series.location,
        series.country,
        series.subdivision,
        series.history[["wind", "stockout", "rain", "open", "quantity"]],
        series.plan[["wind", "open", "rain"]],
    )
    assert shuffled.to_bytes() == series.to_bytes()
    assert shuffled.regressors == ("rain", "wind")


@given(any_series(), st.data())
@settings(deadline=None)
def test_a_part_of_a_series_is_the_series_of_that_part(whole: Series, data: st.DataObject) -> None:
    rows = data.draw(st.integers(1, len(whole.history)))
    ahead = data.draw(st.integers(0, len(whole.history) - rows))
    known = data.draw(st.booleans())
    past, future = whole.history.iloc[:rows], whole.history.iloc[rows : rows + ahead]
    plan = future.drop(columns=["quantity", "stockout"])
    for name in whole.regressors:
        plan[name] = plan[name] if known else np.nan
    built = replace(whole, history=past, plan=plan)
    cut = whole.known_at(rows, ahead, {name: plan[name].to_numpy() for name in whole.regressors})
    assert_frame_equal(cut.history, built.history, check_freq=False)
    assert_frame_equal(cut.plan, built.plan, check_freq=False)
    assert cut.to_bytes() == built.to_bytes()


def test_a_plan_of_infinities_is_refused() -> None:
    whole = bakery_series(regressors={"price": (1.0, True)})
    with pytest.raises(MalformedSeriesError, match="plan: price holds an infinity"):
        whole.known_at(100, 28, {"price": np.full(28, np.inf)})


def test_negative_zero_is_zero() -> None:
    assert series_of([-0.0, 1.0]).to_bytes() == series_of([0.0, 1.0]).to_bytes()


def test_another_day_or_number_has_other_bytes() -> None:
    base = series_of([1.0, 2.0])
    assert base.to_bytes() != series_of([1.0, 2.5]).to_bytes()
    assert base.to_bytes() != series_of([1.0, 2.0], start="2023-01-03").to_bytes()
    assert base.to_bytes() != series_of([1.0, float("nan")]).to_bytes()


def test_frames_are_copies() -> None:
    frame = series_of([1.0, 2.0, 3.0]).history
    series = Series("p", "l", "DE", None, frame, pd.DataFrame({"open": []}, index=frame.index[:0]))
    frame.iloc[0, 0] = 99.0
    assert series.history["quantity"].iloc[0] == 1.0


def test_a_series_travels_to_another_process() -> None:
    series = bakery_series()
    assert pickle.loads(pickle.dumps(series)).to_bytes() == series.to_bytes()


def _broken(**changes: object) -> Series:
    good = bakery_series(days=30, regressors={"rain": (1.0, True)})
    parts = {"history": good.history, "plan": good.plan} | changes
    return Series("p", "l", "DE", None, **parts)  # type: ignore[arg-type]


def test_malformed_frames_are_refused_by_name() -> None:
    good = bakery_series(days=30, regressors={"rain": (1.0, True)})
    history, plan = good.history, good.plan
    cases = {
        "every day once": {"history": history.drop(history.index[3])},
        "not on the day after": {"plan": plan.iloc[1:]},
        r"differ: \['rain'\]": {"plan": plan.drop(columns="rain")},
        r"lacks the columns \['stockout'\]": {"history": history.drop(columns="stockout")},
        "without a time zone": {"history": history.tz_localize("UTC")},
        "history is empty": {"history": history.iloc[:0]},
        "rain holds an infinity": {"history": history.assign(rain=np.inf)},
        "open is yes or no": {"history": history.assign(open=np.nan)},
    }
    for message, change in cases.items():
        with pytest.raises(MalformedSeriesError, match=message):
            _broken(**change)


def test_an_event_window_cannot_be_negative() -> None:
    with pytest.raises(MalformedSeriesError, match="cannot be negative"):
        Event("fair", (), window_before=-1)
