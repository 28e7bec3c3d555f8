"""Series are trained again by themselves: when, which of them, why, and never twice for nothing."""

import asyncio
import datetime as dt
from typing import Any

import pytest

from services.training.queue.periodic import StaleTurn
from services.training.retraining.turn import retrain_due
from tests.jobs.asking import FIRST_DAY, events_of, finished, products_of, sales_rows, send_rows
from tests.retraining.conftest import BASE, Shop


def later_rows(
    product: str, days: int, first: int = 70, level: float = 0.0
) -> list[dict[str, Any]]:
    """The days after those that were trained on."""
    rows = sales_rows(product, first + days)[first:]
    return [row | {"quantity": row["quantity"] + level} for row in rows]


THREE_WEEKS = """
INSERT INTO forecasts SELECT tenant_id, model_id, date + 7 * n, mean, quantiles, open
FROM forecasts, generate_series(1, 2) AS n
"""


async def test_nothing_new_is_no_reason_at_any_age(shop: Shop) -> None:
    await shop.wish(new_rows=1, max_age_days=1)
    await shop.age(days=365)
    assert await shop.look() == []


async def test_fifty_new_rows_of_a_series_are_a_reason_and_forty_nine_are_not(shop: Shop) -> None:
    await send_rows(shop.tenant.client, later_rows("roll", 49))
    assert await shop.look() == []
    await send_rows(shop.tenant.client, later_rows("roll", 50))
    [job] = await shop.look()
    assert job["cause"] == {"kind": "retraining", "series": {"new_rows": 1}}


async def test_a_retraining_is_a_scheduled_job_over_the_due_series_and_says_why(
    shop: Shop,
) -> None:
    await send_rows(shop.tenant.client, later_rows("roll", 50))
    [asked] = await shop.look()
    job = await finished(shop.tenant.client, asked["id"])
    products = await products_of(shop.tenant.client, job["id"])
    assert {name: item["state"] for name, item in products.items()} == {"roll": "succeeded"}
    [first, *_] = await events_of(shop.tenant.client, job["id"])
    assert first["data"] == {"cause": job["cause"]}
    [latest, before] = await shop.models("roll")
    lineage = (await shop.tenant.client.get(f"{BASE}/models/{latest['id']}")).json()["lineage"]
    assert lineage["cause"]["reasons"] == ["new_rows"]
    assert lineage["cause"]["new_rows"] == 50
    assert (lineage["job_id"], lineage["config"]["horizon_days"]) == (job["id"], 7)
    assert latest["trained_through"] > before["trained_through"]
    assert len(await shop.models("bun")) == 1


async def test_what_was_trained_again_is_not_due_again(shop: Shop) -> None:
    await shop.wish(cooldown_hours=0)
    await send_rows(shop.tenant.client, later_rows("roll", 50))
    [asked] = await shop.look()
    await finished(shop.tenant.client, asked["id"])
    assert len(await shop.look()) == 1


async def test_while_a_job_is_open_the_next_waits(shop: Shop) -> None:
    await shop.wish(cooldown_hours=0)
    await send_rows(shop.tenant.client, later_rows("roll", 50))
    await shop.behind("UPDATE jobs SET status = 'running', finished_at = NULL")
    assert await shop.look() == []
    await shop.behind("UPDATE jobs SET status = 'succeeded', finished_at = now()")
    assert len(await shop.look()) == 1


async def test_a_correction_is_a_reason(shop: Shop) -> None:
    [row] = later_rows("bun", 1, first=60)
    await send_rows(shop.tenant.client, [row | {"quantity": 99}])
    [job] = await shop.look()
    assert job["cause"]["series"] == {"data_corrected": 1}
    done = await finished(shop.tenant.client, job["id"])
    assert done["products"]["succeeded"] == 1


async def test_a_correction_that_was_taken_back_is_looked_at_once_and_trains_nothing(
    shop: Shop,
) -> None:
    await shop.wish(cooldown_hours=0)
    [row] = later_rows("bun", 1, first=60)
    await send_rows(shop.tenant.client, [row | {"quantity": 99}])
    await send_rows(shop.tenant.client, [row])
    [job] = await shop.look()
    done = await finished(shop.tenant.client, job["id"])
    assert done["products"]["skipped"] == 1
    assert len(await shop.models("bun")) == 1
    assert len(await shop.look()) == 1


async def test_age_is_a_reason_where_anything_came_since(shop: Shop) -> None:
    await send_rows(shop.tenant.client, later_rows("roll", 1))
    await shop.age(days=29)
    assert await shop.look() == []
    await shop.age(days=1)
    [job] = await shop.look()
    assert job["cause"]["series"] == {"max_age": 1}


async def test_forecasts_that_went_wrong_are_a_reason(shop: Shop) -> None:
    """Twice as much is sold as was forecast, over the fortnight that a judgement takes."""
    await shop.behind(THREE_WEEKS)
    await send_rows(shop.tenant.client, later_rows("bun", 16))
    await send_rows(shop.tenant.client, later_rows("roll", 13, level=30))
    assert await shop.look() == []
    await send_rows(shop.tenant.client, later_rows("roll", 16, level=30))
    [job] = await shop.look()
    assert job["cause"]["series"]["accuracy_degraded"] == 1
    await finished(shop.tenant.client, job["id"])
    [latest, _] = await shop.models("roll")
    lineage = (await shop.tenant.client.get(f"{BASE}/models/{latest['id']}")).json()["lineage"]
    assert lineage["cause"]["accuracy"]["worse"] is True
    assert lineage["cause"]["accuracy"]["days"] == 16
    assert lineage["cause"]["accuracy"]["wql"] > lineage["cause"]["accuracy"]["bar"]


async def test_days_that_were_sold_out_are_no_ground_to_judge_by(shop: Shop) -> None:
    await shop.behind(THREE_WEEKS)
    rows = later_rows("roll", 16, level=-12)
    await send_rows(shop.tenant.client, [row | {"stockout": 1} for row in rows])
    assert await shop.look() == []
    await shop.behind("UPDATE sales SET stockout = false")
    await shop.behind("UPDATE training_marks SET judged_days = 0")
    [job] = await shop.look()
    assert job["cause"]["series"] == {"accuracy_degraded": 1}


@pytest.mark.parametrize(
    "policy",
    [{"enabled": False}, {"new_rows": None}, {"new_rows": 51}],
)
async def test_a_policy_can_say_no(shop: Shop, policy: dict[str, Any]) -> None:
    await shop.wish(**policy)
    await send_rows(shop.tenant.client, later_rows("roll", 50))
    assert await shop.look() == []


async def test_a_retraining_that_came_to_nothing_waits_out_the_cooldown(shop: Shop) -> None:
    await send_rows(shop.tenant.client, later_rows("roll", 50))
    [job] = await shop.look()
    await shop.tenant.client.post(f"{BASE}/training-jobs/{job['id']}/cancel")
    await shop.behind("UPDATE training_marks SET known_days = 70")
    assert len(await shop.look()) == 1
    await shop.age(days=1)
    assert len(await shop.look()) == 2


async def test_of_two_leaders_that_look_at_once_one_asks(shop: Shop) -> None:
    await send_rows(shop.tenant.client, later_rows("roll", 50))
    looks = [retrain_due(shop.sessions, shop.bell, shop.turn()) for _ in range(2)]
    outcomes = await asyncio.gather(*looks, return_exceptions=True)
    assert sorted(type(outcome) is StaleTurn for outcome in outcomes) == [False, True]
    assert len(await shop.retrainings()) == 1


async def test_the_window_of_rows_is_what_is_trained_on(shop: Shop) -> None:
    await shop.wish(window={"rows": 60})
    await send_rows(shop.tenant.client, later_rows("roll", 50))
    [job] = await shop.look()
    done = await finished(shop.tenant.client, job["id"])
    assert done["products"]["succeeded"] == 1
    tasks = await shop.tenant.client.get(f"{BASE}/training-jobs/{job['id']}/products")
    assert [item["product"] for item in tasks.json()["items"]] == ["roll"]
    assert FIRST_DAY + dt.timedelta(days=119) == dt.date.fromisoformat(
        (await shop.models("roll"))[0]["trained_through"]
    )


async def test_series_that_were_never_trained_are_left_alone(shop: Shop) -> None:
    await send_rows(shop.tenant.client, sales_rows("pretzel", 90))
    assert await shop.look() == []
