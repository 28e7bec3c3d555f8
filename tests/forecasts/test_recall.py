"""Whose key could not be checked gets what was kept, even if the database is back by then."""

from uuid import UUID, uuid4

import pytest
from fastapi import FastAPI

from services.training.deps import Resources
from services.training.forecasts.answers import ask_or_recall
from services.training.forecasts.recent import RecentForecasts
from services.training.forecasts.schemas import ForecastOut
from services.training.identity.caller import Caller
from shared.auth import Scope
from shared.errors import Problem
from tests.forecasts.test_recent import forecast

TENANT = UUID(int=1)


def caller(*, checked: bool) -> Caller:
    return Caller(TENANT, uuid4(), frozenset({Scope.READ}), checked=checked)


async def ask() -> ForecastOut:
    return forecast(2)


@pytest.fixture
def held(app: FastAPI) -> Resources:
    resources: Resources = app.state.resources
    return resources


async def test_whose_key_was_checked_gets_what_the_database_says_now(held: Resources) -> None:
    recent = RecentForecasts(10_000)
    recent.keep(TENANT, "q", forecast(1))
    told = await ask_or_recall(ask, "q", caller(checked=True), held, recent)
    assert (told.days[0].mean, told.degraded) == (2, False)
    kept = recent.get(TENANT, "q")
    assert kept is not None
    assert kept.days[0].mean == 2


async def test_whose_key_was_not_gets_nothing_from_the_database(held: Resources) -> None:
    recent = RecentForecasts(10_000)
    recent.keep(TENANT, "q", forecast(1))
    told = await ask_or_recall(ask, "q", caller(checked=False), held, recent)
    assert (told.days[0].mean, told.degraded) == (1, True)
    with pytest.raises(Problem) as refused:
        await ask_or_recall(ask, "p", caller(checked=False), held, recent)
    assert refused.value.status == 503
