"""The main job on real tenants, over HTTP, by a real API and a real worker."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.main_job import Outcome, main_job
from benchmarks.real_data import DataSetAbsent, TenantData, read_tenant
from benchmarks.service import tenant_client
from tests.conftest import OPERATOR_KEY, Database
from tests.processes import Programs, programs_on

WANTED = {"max_trials": 1, "horizon_days": 14, "training_window_days": 730}
STORES = 3


@pytest.fixture
def programs(database: Database, tmp_path: Path) -> Iterator[Programs]:
    with programs_on(database, tmp_path) as opened:
        opened.serve()
        opened.work()
        yield opened


def tenant_or_skip(name: str) -> TenantData:
    try:
        return read_tenant(name)
    except DataSetAbsent as absent:
        pytest.skip(str(absent))


def only_stores(tenant: TenantData, count: int) -> TenantData:
    stores = sorted(tenant.sales["location"].unique())[:count]
    regressors = tenant.regressors
    if "location" in regressors:
        regressors = regressors[regressors["location"].isin(stores)]
    sales = tenant.sales[tenant.sales["location"].isin(stores)]
    return replace(tenant, sales=sales, regressors=regressors)


async def outcome_of(programs: Programs, tenant: TenantData) -> Outcome:
    def work() -> Outcome:
        with tenant_client(programs.address, OPERATOR_KEY, tenant) as client:
            return main_job(client, tenant, WANTED)

    return await asyncio.to_thread(work)


def check(outcome: Outcome, tenant: TenantData) -> None:
    """Every series ended, trained or with the reason why not; and every one has a forecast."""
    assert outcome.series == len(tenant.sales.groupby(["location", "product"]))
    reasons = {state for state in outcome.states if state not in ("succeeded", "paper")}
    assert reasons <= {f"failed:{code}" for code in REFUSALS}, outcome.states
    assert outcome.unanswered == []
    assert sum(outcome.levels.values()) == outcome.series


REFUSALS = {
    "too_short",
    "all_closed",
    "all_zero",
    "constant",
    "too_many_zeros",
    "nothing_to_judge",
    "nothing_planned",
}


async def test_every_product_of_the_kiel_bakery(programs: Programs) -> None:
    tenant = tenant_or_skip("kiel_bakery")
    outcome = await outcome_of(programs, tenant)
    check(outcome, tenant)
    assert outcome.series == 6
    assert outcome.states.get("succeeded", 0) >= 4


async def test_every_product_of_stores_with_promotions_and_weather(programs: Programs) -> None:
    tenant = only_stores(tenant_or_skip("ddop_bakery"), STORES)
    outcome = await outcome_of(programs, tenant)
    check(outcome, tenant)
    assert outcome.status == "succeeded"


def every(step: int, tenant: TenantData) -> TenantData:
    """With each so many-th product alone, from the one with the fewest rows on."""
    rows = tenant.sales.groupby("product", as_index=False).size()
    products = rows.sort_values(["size", "product"])["product"][::step]
    return replace(tenant, sales=tenant.sales[tenant.sales["product"].isin(products)])


async def test_each_fifth_article_of_the_french_bakery(programs: Programs) -> None:
    tenant = every(5, tenant_or_skip("french_bakery"))
    outcome = await outcome_of(programs, tenant)
    check(outcome, tenant)
    assert (outcome.series, outcome.status) == (30, "partial")
    assert outcome.states["succeeded"] + outcome.states["paper"] > 15


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_every_article_of_the_french_bakery(programs: Programs) -> None:
    tenant = tenant_or_skip("french_bakery")
    outcome = await outcome_of(programs, tenant)
    check(outcome, tenant)
    assert (outcome.series, outcome.status) == (148, "partial")
    assert outcome.states["succeeded"] + outcome.states["paper"] > 74
