"""Jobs of a worker whose cluster is away, or not there at all."""

import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from services.training.cluster.cluster import Cluster
from services.training.cluster.errors import ClusterAway
from tests.cluster.test_health import SETTINGS, server
from tests.conftest import Database, Tenant, settings_for
from tests.jobs.asking import ask, events_of, finished, products_of, send_sales
from tests.processes import free_port
from tests.queue import made_work
from tests.worker_here import working_here

Working = Callable[..., AbstractAsyncContextManager[None]]


@pytest.fixture
async def shop(tenant: Tenant) -> Tenant:
    await send_sales(tenant.client, "roll", "bun")
    return tenant


@pytest.fixture
def working(database: Database, tmp_path: Path) -> Working:
    """A worker with these settings beside the usual ones."""

    def work(**values: Any) -> AbstractAsyncContextManager[None]:
        wanted = {"workers": 2, "renew_seconds": 1} | values
        return working_here(settings_for(database.worker_dsn, tmp_path, **wanted))

    return work


async def run(tenant: Tenant, **wanted: Any) -> dict[str, Any]:
    return await finished(tenant.client, (await ask(tenant.client, **wanted))["id"])


def nowhere() -> str:
    return f"ray://127.0.0.1:{free_port()}"


async def test_auto_runs_here_with_a_warning_while_the_cluster_is_away(
    shop: Tenant, working: Working
) -> None:
    async with working(ray_address=nowhere()):
        job = await run(shop)
    assert (job["status"], job["products"]["succeeded"]) == ("succeeded", 2)
    assert job["execution"]["requested"] == "auto"
    assert job["execution"]["used"] == "local"
    assert "cannot be reached" in job["execution"]["reason"]
    [warning] = job["warnings"]
    assert warning["code"] == "cluster_fallback"
    assert job["execution"]["reason"] in warning["message"]


async def test_cluster_fails_at_once_and_says_the_way_out(shop: Tenant, working: Working) -> None:
    async with working(ray_address=nowhere()):
        job = await run(shop, execution_mode="cluster")
    assert (job["status"], job["execution"]["used"]) == ("failed", None)
    assert "cannot be reached" in job["execution"]["reason"]
    assert "ask for `auto` or `local`" in job["execution"]["reason"]
    events = await events_of(shop.client, job["id"])
    assert [event["type"] for event in events] == ["job.queued", "job.finished"]


@pytest.mark.parametrize(
    ("means", "asked", "status"),
    [
        ("cluster", "auto", "failed"),
        ("cluster", "local", "succeeded"),
        ("local", "auto", "succeeded"),
    ],
)
async def test_auto_is_what_the_worker_is_told_and_nothing_else_is(
    shop: Tenant, working: Working, means: str, asked: str, status: str
) -> None:
    async with working(ray_address=nowhere(), execution_mode=means):
        job = await run(shop, execution_mode=asked)
    assert (job["status"], job["execution"]["requested"]) == (status, asked)
    assert job["warnings"] == []


async def test_without_a_cluster_auto_is_no_reason_to_worry(shop: Tenant, working: Working) -> None:
    async with working():
        job = await run(shop)
    assert job["warnings"] == []
    assert job["execution"] == {
        "requested": "auto",
        "used": "local",
        "reason": "no cluster is configured",
    }


async def test_a_job_that_its_cluster_does_not_take_goes_on_here_and_says_so_once(
    shop: Tenant, working: Working, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It looks well when the job starts."""
    monkeypatch.setitem(sys.modules, "ray", None)  # as where it is not installed
    async with server(SETTINGS) as (address, _), working(ray_address=address):
        job = await run(shop)
        assert (job["status"], job["execution"]["used"]) == ("succeeded", "local")
        assert [warning["code"] for warning in job["warnings"]] == ["cluster_fallback"]
        products = await products_of(shop.client, job["id"])
        assert [product["attempt"] for product in products.values()] == [1, 1]


def test_nobody_imports_ray_but_the_bridge() -> None:
    script = "import sys, services.training.worker, services.training.app; print(*sys.modules)"
    told = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=True, text=True
    )
    assert not {"ray", "grpc"} & set(told.stdout.split())


async def test_without_ray_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)  # as where it is not installed
    async with Cluster(nowhere(), 1, []) as cluster:
        with pytest.raises(ClusterAway, match=r"pip install 'morrow\[ray\]'") as caught:
            await cluster.slots[0].run(made_work.double, 1, print, 60)
        assert caught.value.code == "cluster_unavailable"
        fault = await cluster.fault()
        assert fault is not None
        assert "not installed" in str(fault)
