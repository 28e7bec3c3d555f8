"""Versions in a real database: numbered without gaps, one champion a series, one tenant apart."""

import asyncio

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from services.training.demand.outcome import Stage
from services.training.models import alias_store
from services.training.models.aliases import Alias
from services.training.models.store import (
    last_trained,
    publish_model,
    quarantine,
    read_version,
    release,
)
from services.training.tables import Forecast, Model
from shared.database import tenant_session
from tests.models.conftest import Shop
from tests.models.made_models import forecast_days, made_model


async def aliases(shop: Shop, product: str = "Croissant") -> dict[Alias, int]:
    """The version number behind each alias."""
    async with shop.transaction() as session:
        found = await alias_store.read(session, shop.series[product])
        numbers = {m.id: m.version for m in (await session.scalars(select(Model))).all()}
    return {alias: numbers[model_id] for alias, model_id in found.items()}


async def test_a_version_comes_back_with_its_forecast(shop: Shop) -> None:
    model = await shop.train()

    async with shop.transaction() as session:
        version = await read_version(session, model.id)
        days = (await session.scalars(select(Forecast).order_by(Forecast.date))).all()
    assert version is not None
    assert (version.product, version.location, version.aliases) == (
        "Croissant",
        "main",
        ("champion",),
    )
    assert version.model.version == 1
    assert version.model.horizon_days == 3
    assert version.model.detail["lineage"] == {
        "engine": 1,
        "config": {"seed": 2026},
        "data_sha256": "d" * 64,
        "libraries": {"prophet": "1.5.0"},
        "job_id": "j1",
    }
    expected = forecast_days(3)
    assert [(day.date, day.mean, day.quantiles, day.open) for day in days] == [
        (day["date"], day["mean"], day["quantiles"], True) for day in expected
    ]


async def test_the_newest_version_answers_and_each_series_counts_its_own(shop: Shop) -> None:
    for number in range(3):
        await shop.train(f"f{number}")
    await shop.train("f9", product="Baguette")

    assert await aliases(shop) == {Alias.CHAMPION: 3, Alias.PREVIOUS: 2}
    assert await aliases(shop, "Baguette") == {Alias.CHAMPION: 1}


async def test_a_paper_never_becomes_champion_and_ends_with_the_next_version(shop: Shop) -> None:
    await shop.train("f1")
    await shop.train("f2", stage=Stage.PAPER)
    assert await aliases(shop) == {Alias.CHAMPION: 1, Alias.PAPER: 2}

    await shop.train("f3")
    assert await aliases(shop) == {Alias.CHAMPION: 3, Alias.PREVIOUS: 1}


async def test_a_quarantined_champion_does_not_become_the_way_back(shop: Shop) -> None:
    await shop.train("f1")
    damaged = await shop.train("f2")
    async with shop.transaction() as session:
        await quarantine(session, [damaged.sha256])
    await shop.train("f3")

    assert await aliases(shop) == {Alias.CHAMPION: 3, Alias.PREVIOUS: 1}


async def test_publishing_at_once_numbers_every_version(shop: Shop) -> None:
    new = made_model(shop.series["Croissant"])

    published = await asyncio.gather(*[shop.publish(new) for _ in range(6)])

    assert sorted(model.version for model in published) == [1, 2, 3, 4, 5, 6]
    assert await aliases(shop) == {Alias.CHAMPION: 6, Alias.PREVIOUS: 5}


async def test_a_publication_that_is_rolled_back_leaves_nothing(shop: Shop) -> None:
    await shop.train("f1")

    async with tenant_session(shop.sessions, shop.tenant_id) as session:
        await publish_model(session, shop.tenant_id, made_model(shop.series["Croissant"]))
        await session.rollback()

    async with shop.transaction() as session:
        assert len((await session.scalars(select(Model))).all()) == 1
        assert len((await session.scalars(select(Forecast))).all()) == 3
    assert await aliases(shop) == {Alias.CHAMPION: 1}


async def test_a_series_that_does_not_exist_is_refused(shop: Shop) -> None:
    with pytest.raises(IntegrityError, match="fk_models_series"):
        await shop.publish(made_model(max(shop.series.values()) + 1))


async def test_the_latest_fingerprint_is_the_newest_intact_trainings(shop: Shop) -> None:
    ids = list(shop.series.values())

    async def known() -> dict[int, str]:
        async with shop.transaction() as session:
            found = await last_trained(session, ids)
            return {each: last.fingerprint for each, last in found.items()}

    assert await known() == {}
    await shop.train("f1")
    newest = await shop.train("f2")
    await shop.publish(made_model(ids[0], "import:abc"), alias=Alias.CHALLENGER)
    assert await known() == {ids[0]: "f2"}

    async with shop.transaction() as session:
        assert await quarantine(session, [newest.sha256]) == [newest.id]
        assert await quarantine(session, [newest.sha256]) == []
    assert await known() == {ids[0]: "f1"}

    async with shop.transaction() as session:
        assert await release(session, [newest.sha256]) == [newest.id]
    assert await known() == {ids[0]: "f2"}
