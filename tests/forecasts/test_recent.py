"""Forecasts for when the database is away: of that tenant and that query, and not too many."""

import datetime as dt
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.training.forecasts.recent import BESIDES, RecentForecasts
from services.training.forecasts.schemas import DayOut, ForecastOut, Level

ONE, OTHER = UUID(int=1), UUID(int=2)


def forecast(mean: float, product: str = "rye", days: int = 1) -> ForecastOut:
    day = dt.date(2026, 3, 1)
    return ForecastOut(
        product=product,
        location="main",
        model_id=None,
        family="prophet",
        level=Level.CHAMPION,
        reason=None,
        issued_at=dt.datetime(2026, 3, 1, tzinfo=dt.UTC),
        data_through=day,
        interval_coverage=0.8,
        days=[
            DayOut(date=day + dt.timedelta(n), mean=mean, quantiles={"0.5": mean}, open=True)
            for n in range(days)
        ],
    )


def test_the_last_answer_is_told_with_its_age() -> None:
    now = 100.0
    recent = RecentForecasts(10_000, clock=lambda: now)
    recent.keep(ONE, "q", forecast(1))
    recent.keep(ONE, "q", forecast(2))
    now = 130.5
    told = recent.get(ONE, "q")
    assert told == forecast(2).model_copy(update={"degraded": True, "age_seconds": 30.5})


def test_no_other_tenant_and_no_other_query_gets_it() -> None:
    recent = RecentForecasts(10_000)
    recent.keep(ONE, "q", forecast(1))
    assert recent.get(OTHER, "q") is None
    assert recent.get(ONE, "p") is None


def test_what_the_database_no_longer_says_is_dropped() -> None:
    recent = RecentForecasts(10_000)
    recent.keep(ONE, "q", forecast(1))
    recent.drop(ONE, "q")
    recent.drop(ONE, "never")
    assert (recent.get(ONE, "q"), recent.bytes) == (None, 0)


OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(["keep", "get", "drop"]),
        st.sampled_from([ONE, OTHER]),
        st.integers(0, 4),
        st.integers(1, 30),
    ),
    max_size=60,
)


@given(OPERATIONS, st.integers(0, 8_000))
def test_the_bytes_are_bounded_and_the_least_recently_told_leave_first(
    operations: list[tuple[str, UUID, int, int]], most: int
) -> None:
    recent = RecentForecasts(most)
    model: dict[tuple[UUID, int], ForecastOut] = {}  # in order of use

    def size() -> int:
        return sum(len(kept.model_dump_json().encode()) + BESIDES for kept in model.values())

    for operation, tenant, query, days in operations:
        key = (tenant, query)
        if operation == "keep":
            model.pop(key, None)
            model[key] = forecast(days, days=days)
            recent.keep(tenant, query, model[key])
            while size() > most:
                del model[next(iter(model))]
        elif operation == "drop":
            model.pop(key, None)
            recent.drop(tenant, query)
        else:
            told = recent.get(tenant, query)
            if key in model:
                model[key] = model.pop(key)
                assert told is not None
                assert told.days == model[key].days
            else:
                assert told is None
        assert recent.bytes == size() <= most
