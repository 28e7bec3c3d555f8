"""What a day is made of: parts that sum to its mean."""

from typing import Any
from urllib.parse import quote

import pytest

from tests.conftest import Database, Tenant
from tests.forecasts.conftest import Stall
from tests.jobs.asking import ask, finished, products_of, send_sales
from tests.jobs.conftest import worker, working

__all__ = ["worker", "working"]


async def explain(tenant: Tenant, date: str, status: int = 200, product: str = "roll") -> Any:
    answer = await tenant.client.get(f"/api/v1/forecasts/{product}/explain", params={"date": date})
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_the_parts_of_a_trained_model_sum_to_the_mean_it_forecasts(
    stall: Stall, database: Database, worker: None
) -> None:
    wanted = {"products": ["roll"], "families": ["prophet"], "max_trials": 1, "horizon_days": 7}
    job = await finished(stall.tenant.client, (await ask(stall.tenant.client, **wanted))["id"])
    product = (await products_of(stall.tenant.client, job["id"]))["roll"]
    assert product["state"] == "succeeded", product
    promoted = await stall.tenant.client.post(f"/api/v1/models/{product['model_id']}/promote")
    assert promoted.is_success
    for day in (await stall.ask())["days"]:
        explained = await explain(stall.tenant, day["date"])
        parts = explained["parts"]
        assert len(parts) > 1
        assert sum(part["units"] for part in parts) == pytest.approx(day["mean"], abs=1e-9)
        assert explained["mean"] == pytest.approx(day["mean"], abs=1e-9)


async def test_days_outside_the_forecast_have_no_parts(stall: Stall) -> None:
    parts = {"parts": {"trend": [1.0] * 14, "weekly": [0.5] * 14}}
    await stall.train(1, effects=parts)
    first = await explain(stall.tenant, "2026-07-01")
    assert [part["name"] for part in first["parts"]] == ["trend", "weekly"]
    for date in ("2026-06-30", "2026-07-15", "0001-01-01"):
        problem = await explain(stall.tenant, date, 422)
        assert problem["errors"][0]["code"] == "outside_forecast"


async def test_the_baseline_has_no_parts_and_says_why(stall: Stall) -> None:
    problem = await explain(stall.tenant, "2026-07-01", 409)
    assert (problem["code"], "not trained yet" in problem["detail"]) == ("nothing_to_explain", True)
    assert (await explain(stall.tenant, "2026-07-01", 404, "cake"))["code"] == "series_not_found"


@pytest.mark.parametrize("product", ["rye/wheat", "a/explain", "/"])
async def test_a_name_may_hold_a_slash(stall: Stall, product: str) -> None:
    await send_sales(stall.tenant.client, product)
    problem = await explain(stall.tenant, "2026-07-01", 409, quote(product, safe=""))
    assert problem["code"] == "nothing_to_explain"
