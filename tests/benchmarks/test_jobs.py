"""What the benchmarks of whole jobs are made from, and how they read a job's events."""

from __future__ import annotations

import pytest

from benchmarks.job_scale import Taken, per_product, phases
from benchmarks.made_tenant import DAYS, KINDS, made_tenant


def event(type: str, second: int) -> dict[str, str]:
    return {"type": type, "at": f"2026-01-01T00:00:{second:02}+00:00"}


def test_the_phases_of_a_job_lie_between_its_first_events_of_each_kind() -> None:
    events = [
        event("job.queued", 0),
        event("job.started", 1),
        event("data.validated", 3),
        event("product.started", 7),
        event("product.started", 8),
        event("product.trained", 9),
        event("job.finished", 20),
    ]
    assert phases(events) == {"prepare": 2.0, "pool": 4.0, "train": 13.0}


def test_the_time_of_a_product_is_the_median_over_the_jobs_of_its_size() -> None:
    taken = [(50, 10.0), (50, 30.0), (1000, 400.0), (50, 15.0)]
    jobs = [Taken(products, wall, 2 * wall, {}) for products, wall in taken]
    assert per_product(jobs, 50, "wall") == pytest.approx(0.3)
    assert per_product(jobs, 1000, "cpu") == pytest.approx(0.8)


def test_a_large_tenant_holds_the_products_of_a_small_one_again_and_again() -> None:
    sales = made_tenant(2 * KINDS).sales.set_index("product")
    assert len(sales) == 2 * KINDS * DAYS
    first, again = sales.loc["product 3"], sales.loc[f"product {3 + KINDS}"]
    assert first.reset_index(drop=True).equals(again.reset_index(drop=True))
    assert not first.reset_index(drop=True).equals(sales.loc["product 4"].reset_index(drop=True))
    assert sales["quantity"].ge(0).all()
