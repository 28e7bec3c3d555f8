"""Which rung answers: the champion, else the one before it, else the baseline; and it says so."""

from typing import Any

from fastapi import FastAPI
from httpx import AsyncClient

from tests.conftest import make_tenant
from tests.forecasts.conftest import Stall
from tests.jobs.asking import FIRST_DAY, sales_rows, send_rows


def rung(forecast: dict[str, Any]) -> tuple[str, str | None]:
    return forecast["level"], forecast["model_id"]


async def test_the_champion_answers_and_needs_no_reason(stall: Stall) -> None:
    model = await stall.train(1)
    forecast = await stall.ask()
    assert rung(forecast) == ("champion", str(model.id))
    assert (forecast["reason"], forecast["family"]) == (None, "prophet")
    assert forecast["data_through"] == "2026-06-30"
    assert [day["date"] for day in forecast["days"][:2]] == ["2026-07-01", "2026-07-02"]
    assert len(forecast["days"]) == 14
    assert forecast["days"][0]["mean"] == 111.0


async def test_the_newest_training_answers(stall: Stall) -> None:
    await stall.train(1)
    newest = await stall.train(2)
    assert rung(await stall.ask()) == ("champion", str(newest.id))


async def test_the_one_before_answers_for_a_damaged_champion(stall: Stall) -> None:
    before = await stall.train(1)
    stall.damage(await stall.train(2))
    verified = await stall.tenant.client.post("/api/v1/models/verify")
    assert len(verified.json()["corrupt"]) == 1
    forecast = await stall.ask()
    assert rung(forecast) == ("previous", str(before.id))
    assert "version 2 is corrupt" in forecast["reason"]
    assert forecast["days"][0]["mean"] == 111.0


async def test_the_baseline_answers_when_all_are_damaged(stall: Stall) -> None:
    stall.damage(await stall.train(1))
    stall.damage(await stall.train(2))
    await stall.tenant.client.post("/api/v1/models/verify")
    forecast = await stall.ask()
    assert rung(forecast) == ("baseline", None)
    assert "corrupt" in forecast["reason"]


async def test_the_baseline_answers_while_the_latest_training_beat_it_nowhere(stall: Stall) -> None:
    await stall.train(1)
    await stall.train(2, stage="paper")
    forecast = await stall.ask()
    assert rung(forecast) == ("baseline", None)
    assert forecast["reason"] == "version 2 did not beat the baseline"
    again = await stall.train(3)
    assert rung(await stall.ask()) == ("champion", str(again.id))


async def test_the_baseline_answers_for_what_was_never_trained(stall: Stall) -> None:
    forecast = await stall.ask()
    assert (*rung(forecast), forecast["reason"]) == ("baseline", None, "not trained yet")
    assert forecast["family"] == "same_weekday_mean"
    assert len(forecast["days"]) == 28


async def test_the_baseline_is_the_mean_of_the_last_four_same_weekdays(stall: Stall) -> None:
    rows = sales_rows("roll")
    forecast = await stall.ask(days=7)
    assert forecast["data_through"] == rows[-1]["date"]
    for offset, day in enumerate(forecast["days"]):
        same = [row["quantity"] for row in rows[offset % 7 :: 7]][-4:]
        assert day["mean"] == sum(same) / 4
    assert FIRST_DAY.weekday() == 0
    assert len(rows) % 7 == 0


async def test_what_has_no_known_day_has_no_forecast_and_says_so(stall: Stall) -> None:
    [planned] = sales_rows("plan", days=1)
    await send_rows(stall.tenant.client, [planned | {"quantity": None}])
    problem = await stall.ask(404, product="plan")
    assert problem["code"] == "nothing_to_forecast"


async def test_unknown_and_foreign_series_are_not_there(
    app: FastAPI, api: AsyncClient, stall: Stall
) -> None:
    assert (await stall.ask(404, product="cake"))["code"] == "series_not_found"
    assert (await stall.ask(404, location="moon"))["code"] == "series_not_found"
    await stall.train(1)
    stranger = await make_tenant(app, api)
    async with stranger.client:
        answer = await stranger.client.get("/api/v1/forecasts", params={"product": "roll"})
    assert (answer.status_code, answer.json()["code"]) == (404, "series_not_found")
