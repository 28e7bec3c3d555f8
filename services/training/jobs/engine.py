"""Where a job's children run: on this worker's machine, or on its cluster.

It is chosen when the job starts and stands in the job. `auto` falls back on the machine, once a
job and for all that is left of it, and the job says so; `cluster` does not, and ends with the
reason.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.training.cluster.errors import AWAY, OTHER_RELEASE, ClusterAway
from services.training.cluster.telemetry import FALLBACKS
from services.training.demand.config import Progress
from services.training.jobs.progress import progress_told
from services.training.jobs.schemas import ExecutionMode
from services.training.jobs.settle import job_transaction
from services.training.jobs.spending import spending
from services.training.jobs.stages import run_in_stages
from services.training.jobs.store import locked_job, warn
from services.training.jobs.workshop import SlotPool, Workshop
from services.training.queue.task import ClaimedTask, Refused

FALLBACK = "cluster_fallback"
WAY_OUT = "start it, or ask for `auto` or `local`"

Outcome = TypeVar("Outcome")
Report = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Work:
    """What a child does within `seconds`; one that `grows` with it is not kept for the next."""

    function: Callable[[Any, Report], Any]
    argument: Any
    seconds: float
    grows: bool = False


@dataclass(frozen=True, slots=True)
class Ran(Generic[Outcome]):
    """What a child answered, the CPU-seconds it took, and when it was done, by the monotonic
    clock."""

    outcome: Outcome
    cpu_seconds: float
    ended_at: float


async def fault_of_cluster(shop: Workshop) -> ClusterAway | None:
    """Why nothing should be begun on the cluster; None as well where there is none to ask."""
    return None if shop.afar is None else await shop.afar.cluster.fault()


def choose(shop: Workshop, asked: ExecutionMode, fault: ClusterAway | None) -> dict[str, Any]:
    """What a job's `execution` says from its start. Raises `Refused` where it must not run here,
    and cannot run there."""
    mode = _mode(shop, asked)
    chosen = {"requested": asked.value, "used": "local", "reason": None}
    if mode is ExecutionMode.LOCAL:
        return chosen
    if shop.afar is None:
        if mode is ExecutionMode.CLUSTER:
            raise Refused(AWAY, f"no cluster is configured (MORROW_RAY_ADDRESS): {WAY_OUT}")
        return chosen | {"reason": "no cluster is configured"}
    if fault is None:
        return chosen | {"used": "cluster"}
    if mode is ExecutionMode.CLUSTER:
        raise Refused(fault.code, f"{fault}: {WAY_OUT}")
    return chosen | {"reason": str(fault)}


async def tell_of_fallback(
    session: AsyncSession, job_id: UUID, execution: dict[str, Any], fault: ClusterAway | None
) -> None:
    """Warn of a cluster that should have been used."""
    if fault is not None and execution["used"] == "local" and execution["reason"] is not None:
        FALLBACKS.labels(fault.code).inc()
        await warn(session, job_id, FALLBACK, f"trained on the worker's machine: {fault}")


async def in_child(
    shop: Workshop, task: ClaimedTask, execution: dict[str, Any], work: Work
) -> Ran[Any]:
    """Run where the job runs. Raises what slots raise, and `Refused` where the cluster runs another
    release and the job must not run here."""
    if execution["used"] == "cluster":
        try:
            return await _on_cluster(shop, task, work)
        except ClusterAway as fault:
            if _mode(shop, ExecutionMode(execution["requested"])) is ExecutionMode.CLUSTER:
                _refuse_for_good(fault)
                raise
            await _fall_back(shop, task, fault)
    return await _in_slot(shop, task, shop.slots, work)


async def _on_cluster(shop: Workshop, task: ClaimedTask, work: Work) -> Ran[Any]:
    if shop.afar is None:
        raise ClusterAway(AWAY, "this worker has no cluster (MORROW_RAY_ADDRESS), as others have")
    fault = await shop.afar.cluster.fault()
    if fault is not None:
        raise fault
    return await _in_slot(shop, task, shop.afar.slots, work)


async def _in_slot(shop: Workshop, task: ClaimedTask, slots: SlotPool, work: Work) -> Ran[Any]:
    async with progress_told(shop, task) as note, spending(shop, task, slots) as spent:
        try:
            outcome = await run_in_stages(
                spent.slot, work.function, work.argument, note, work.seconds
            )
        finally:
            if work.grows:
                spent.slot.kill()
        return Ran(outcome, spent.cpu_seconds, spent.slot.heard_at)


async def _fall_back(shop: Workshop, task: ClaimedTask, fault: ClusterAway) -> None:
    """All that is left of the job runs here, and it says why; the first to find out says it."""
    async with job_transaction(shop, task) as session:
        job = await locked_job(session, task.group_id)
        if job.execution["used"] == "cluster":
            job.execution = job.execution | {"used": "local", "reason": str(fault)}
            await session.flush()
            await tell_of_fallback(session, job.id, job.execution, fault)


def _refuse_for_good(fault: ClusterAway) -> None:
    if fault.code == OTHER_RELEASE:
        raise Refused(fault.code, str(fault)) from None


def _mode(shop: Workshop, asked: ExecutionMode) -> ExecutionMode:
    """What was asked for; `auto` is what the worker's settings say."""
    return ExecutionMode(shop.settings.execution_mode) if asked is ExecutionMode.AUTO else asked
