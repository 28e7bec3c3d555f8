"""Without versioning only the versions that play a part stay; no artifact goes that is named."""

from collections.abc import Sequence

import pytest
from sqlalchemy import select

from services.training.models.aliases import Alias
from services.training.models.retention import Retention, drop_versions, forget_artifacts
from services.training.tables import Forecast, Model
from shared.artifacts import ArtifactMissing
from tests.models.conftest import Shop
from tests.models.made_models import made_model


async def keep(shop: Shop, model: Model, *, versioning: bool, backup: bool) -> Sequence[str]:
    async with shop.transaction() as session:
        return await drop_versions(session, model, Retention(versioning, backup))


async def left(shop: Shop) -> list[int]:
    async with shop.transaction() as session:
        versions = (await session.scalars(select(Model).order_by(Model.version))).all()
        forecasts = set((await session.scalars(select(Forecast.model_id))).all())
    assert forecasts == {version.id for version in versions}
    return [
        version.version for version in versions if version.series_id == shop.series["Croissant"]
    ]


async def test_with_versioning_every_version_stays(shop: Shop) -> None:
    models = [await shop.train(f"f{number}") for number in range(4)]

    assert await keep(shop, models[-1], versioning=True, backup=False) == ()
    assert await left(shop) == [1, 2, 3, 4]


@pytest.mark.parametrize(("backup", "kept"), [(True, [3, 4]), (False, [4])])
async def test_without_it_the_champion_stays_and_previous_with_backup(
    shop: Shop, backup: bool, kept: list[int]
) -> None:
    models = [await shop.train(f"f{number}") for number in range(4)]
    await shop.train("f9", product="Baguette")

    dropped = await keep(shop, models[-1], versioning=False, backup=backup)

    assert await left(shop) == kept
    gone = [model for model in models if model.version not in kept]
    assert dropped == sorted(model.sha256 for model in gone)

    await forget_artifacts(shop.artifacts, str(shop.tenant_id), dropped)
    for model in models:
        if model in gone:
            with pytest.raises(ArtifactMissing):
                await shop.artifacts.get(str(shop.tenant_id), model.sha256)
        else:
            await shop.artifacts.get(str(shop.tenant_id), model.sha256)


async def test_a_challenger_stays(shop: Shop) -> None:
    new = made_model(shop.series["Croissant"])
    await shop.publish(new, alias=Alias.CHALLENGER)
    champion = await shop.train("f2")

    await keep(shop, champion, versioning=False, backup=False)

    assert await left(shop) == [1, 2]


async def test_an_artifact_that_a_kept_version_names_stays(shop: Shop) -> None:
    await shop.train("f1")
    forced_again = await shop.train("f1")

    assert await keep(shop, forced_again, versioning=False, backup=False) == []
    assert await left(shop) == [2]
