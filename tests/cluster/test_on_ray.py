"""Children at the nodes of a real cluster: what slots promise, kept by both engines, and what only
a cluster can do to them."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from services.training.cluster.cluster import Cluster
from services.training.cluster.errors import ClusterLost
from services.training.cluster.link import PROGRAM
from services.training.queue.children import (
    ChildDied,
    ChildLimits,
    ChildRaised,
    ChildSlot,
    Slot,
    fork_server,
)
from tests.cluster.conftest import Nodes, below
from tests.conftest import Database, Tenant, make_tenant, settings_for
from tests.jobs.asking import ask, finished, products_of, send_sales
from tests.jobs.pooled_jobs import DAYS, POOLED, PRODUCTS
from tests.process_life import all_end, children_of, runs
from tests.queue import made_work
from tests.worker_here import working_here

PATIENCE = 60.0
WORK = ["tests.queue.made_work"]
BEYOND_MEMORY = 2 * ChildLimits().memory_bytes


@pytest.fixture(scope="module")
async def cluster(nodes: Nodes) -> AsyncIterator[Cluster]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_SECRET_ACCESS_KEY", "of the worker")
        patch.setenv("MORROW_OPERATOR_KEY", "of the worker too")
        async with Cluster(nodes.address, 2, WORK) as opened:
            yield opened


@pytest.fixture(params=["local", "cluster"])
async def slot(request: pytest.FixtureRequest, cluster: Cluster) -> AsyncIterator[ChildSlot]:
    if request.param == "cluster":
        yield cluster.slots[0]
        return
    opened = Slot(fork_server(WORK), ChildLimits())
    yield opened
    opened.close()


async def do(slot: ChildSlot, work: Any, argument: Any = None, seconds: float = PATIENCE) -> Any:
    return await slot.run(work, argument, lambda _: None, seconds)


async def begun(slot: ChildSlot, work: Any, argument: Any) -> tuple[asyncio.Task[Any], Any]:
    """The call, and the first thing it says."""
    said: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    call = asyncio.create_task(slot.run(work, argument, said.set_result, PATIENCE))
    await asyncio.wait([call, said], return_when=asyncio.FIRST_COMPLETED)
    return call, said.result()


async def test_a_cluster_that_is_well_is_told_to_be(cluster: Cluster) -> None:
    assert await cluster.fault() is None


async def test_a_child_answers_and_is_there_for_the_next_call(slot: ChildSlot) -> None:
    first, _ = await do(slot, made_work.session_of)
    second, _ = await do(slot, made_work.session_of)
    assert first == second != os.getpid()
    assert await do(slot, made_work.threads_of_numeric_libraries) == {"1"}


async def test_it_has_the_limits_of_a_child(slot: ChildSlot) -> None:
    with pytest.raises(ChildRaised, match="MemoryError") as caught:
        await do(slot, made_work.take_memory, BEYOND_MEMORY)
    assert caught.value.kind == "MemoryError"
    assert await do(slot, made_work.double, 21) == 42


async def test_large_pieces_reach_it_whole(slot: ChildSlot) -> None:
    piece = os.urandom(2**20)
    assert await do(slot, made_work.report_twice, ("a", "b")) == "a b"
    for _ in range(2):
        assert await do(slot, made_work.double, [piece]) == [piece, piece]


async def test_the_last_that_was_said_is_heard_before_the_answer(slot: ChildSlot) -> None:
    heard: list[str] = []
    assert await slot.run(made_work.report_twice, ("a", "b"), heard.append, PATIENCE) == "a b"
    assert heard in (["a", "b"], ["b"])


async def test_what_the_work_raises_is_raised_and_the_child_stays(slot: ChildSlot) -> None:
    before, _ = await do(slot, made_work.session_of)
    with pytest.raises(ChildRaised, match="ValueError: no flour") as caught:
        await do(slot, made_work.raise_value_error, "no flour")
    assert caught.value.kind == "ValueError"
    assert (await do(slot, made_work.session_of))[0] == before


async def test_a_child_that_dies_is_told_by_how(slot: ChildSlot) -> None:
    with pytest.raises(ChildDied, match="SIGKILL") as caught:
        await do(slot, made_work.end_by_signal, int(signal.SIGKILL))
    assert caught.value.cause == "signal"
    assert await do(slot, made_work.double, 21) == 42


async def test_a_child_beyond_its_time_is_ended(slot: ChildSlot) -> None:
    await do(slot, made_work.double, 1)
    heard: list[int] = []
    with pytest.raises(ChildDied, match=r"did not answer in 0\.8 s") as caught:
        await slot.run(made_work.sleep, 60, heard.append, 0.8)
    assert caught.value.cause == "deadline"
    assert heard
    assert all_end(heard)


async def test_cancelling_ends_the_child_and_all_it_started(slot: ChildSlot) -> None:
    call, (child, grandchild) = await begun(slot, made_work.sleep_with_a_grandchild, 60)
    assert runs(child)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert not runs(child)
    assert all_end([grandchild])
    assert await do(slot, made_work.double, 21) == 42


async def test_what_it_used_is_counted_also_of_one_that_was_ended(slot: ChildSlot) -> None:
    before = slot.cpu_seconds
    call, _ = await begun(slot, made_work.burn_for_ever, None)
    call.cancel()
    await asyncio.wait([call])
    assert slot.cpu_seconds - before > 0.9


async def test_a_slot_that_is_renewed_has_a_new_child(slot: ChildSlot) -> None:
    before, _ = await do(slot, made_work.session_of)
    slot.kill()
    assert all_end([before])
    assert (await do(slot, made_work.session_of))[0] != before


async def test_a_job_there_makes_the_very_models_that_one_here_makes(
    app: FastAPI, api: AsyncClient, database: Database, nodes: Nodes, tmp_path: Path
) -> None:
    digests, before = {}, nodes.children()
    settings = settings_for(
        database.worker_dsn, tmp_path, workers=1, renew_seconds=1, ray_address=nodes.address
    )
    async with working_here(settings):
        for mode in ("local", "cluster"):
            tenant = await make_tenant(app, api, name=mode)
            async with tenant.client as client:
                digests[mode] = await _trained(client, mode)
        assert nodes.children() - before
    assert len(digests["local"]) == len(PRODUCTS)
    assert digests["cluster"] == digests["local"]


async def _trained(client: AsyncClient, mode: str) -> dict[str, str]:
    """The digests of a new tenant's models, by product."""
    await send_sales(client, *PRODUCTS, days=DAYS)
    job = await ask(client, **POOLED, execution_mode=mode)
    job = await finished(client, job["id"])
    assert job["execution"] == {"requested": mode, "used": mode, "reason": None}
    assert (job["status"], job["warnings"]) == ("succeeded", []), await products_of(
        client, job["id"]
    )
    models = (await client.get("/api/v1/models")).json()["items"]
    return {model["product"]: model["sha256"] for model in models}


@pytest.mark.long
async def test_a_job_that_is_cancelled_leaves_nobody_at_work_there(
    tenant: Tenant, database: Database, nodes: Nodes, tmp_path: Path
) -> None:
    long = {"families": ["prophet"], "optimizer": "random", "max_trials": 200}
    await send_sales(tenant.client, "roll", days=400)
    settings = settings_for(
        database.worker_dsn, tmp_path, workers=1, renew_seconds=1, ray_address=nodes.address
    )
    before = nodes.children()
    async with working_here(settings):
        job = await ask(tenant.client, **long, execution_mode="cluster")
        async with asyncio.timeout(PATIENCE):
            while not (at_work := nodes.children() - before):
                await asyncio.sleep(0.05)
        for child in at_work:
            os.kill(child, signal.SIGSTOP)  # so that it does not end just then
        cancelled = await tenant.client.post(f"/api/v1/training-jobs/{job['id']}/cancel")
        assert cancelled.status_code == 202
        assert await asyncio.to_thread(all_end, sorted(at_work))  # the worker is in this loop
        assert (await finished(tenant.client, job["id"]))["status"] == "cancelled"


@pytest.mark.long
async def test_a_bridge_that_hangs_is_ended_with_what_it_was_at(cluster: Cluster) -> None:
    """The worker would wait for ever, and keep the lease meanwhile."""
    call, child = await begun(cluster.slots[0], made_work.sleep, 3600)
    os.kill(the_bridge(), signal.SIGSTOP)
    with pytest.raises(ClusterLost):
        await call
    assert all_end([child])
    assert await do(cluster.slots[0], made_work.double, 21) == 42


@pytest.mark.long
async def test_a_seat_that_hangs_is_ended_with_what_it_was_at(
    nodes: Nodes, cluster: Cluster
) -> None:
    call, child = await begun(cluster.slots[0], made_work.sleep, 3600)
    seats = [seat for node in (nodes.head, nodes.other) for seat in children_of(node)]
    [seat] = [seat for seat in seats if child in below(seat)]
    os.kill(seat, signal.SIGSTOP)
    with pytest.raises(ClusterLost):
        await call
    assert all_end([child, seat])
    assert await do(cluster.slots[0], made_work.double, 21) == 42


async def test_the_bridge_knows_nothing_of_the_workers_secrets(cluster: Cluster) -> None:
    await do(cluster.slots[0], made_work.double, 1)
    names = {entry.partition("=")[0] for entry in _read(the_bridge(), "environ").split("\0")}
    assert "RAY_USAGE_STATS_ENABLED" in names
    assert not [name for name in names if name.startswith(("MORROW_", "AWS_", "PG"))]


async def test_when_the_bridge_ends_nobody_is_left_at_work_and_the_next_call_has_another(
    nodes: Nodes, cluster: Cluster
) -> None:
    call, child = await begun(cluster.slots[0], made_work.sleep, 60)
    bridge = the_bridge()
    os.kill(bridge, signal.SIGKILL)
    with pytest.raises(ClusterLost):
        await call
    assert all_end([child])
    assert await do(cluster.slots[0], made_work.double, 21) == 42


async def test_what_ran_on_a_lost_node_is_lost_and_runs_again_on_another(
    nodes: Nodes, cluster: Cluster
) -> None:
    """The last test, for the node stays lost."""
    calls = {}
    for slot in cluster.slots:
        call, child = await begun(slot, made_work.sleep, 3600)
        calls[nodes.node_of(child)] = slot, call, child
    slot, call, child = calls[nodes.other]
    os.kill(nodes.other, signal.SIGKILL)
    with pytest.raises(ClusterLost) as caught:
        await call
    assert caught.value.code == "cluster_lost"
    assert all_end([child])
    _, other, there = calls[nodes.head]
    assert runs(there)
    assert await do(slot, made_work.double, 21) == 42
    other.cancel()
    await asyncio.wait([other])


def the_bridge() -> int:
    [bridge] = [pid for pid in children_of(os.getpid()) if PROGRAM in _read(pid, "cmdline")]
    return bridge


def _read(pid: int, what: str) -> str:
    return Path(f"/proc/{pid}/{what}").read_text()
