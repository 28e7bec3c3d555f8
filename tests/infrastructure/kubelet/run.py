"""A run: a database, both Deployments, traffic, a rollout under it, and the reckoning."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

import asyncpg

from infrastructure.kubernetes.checks.manifests import Manifests
from shared.roles import API, WORKER
from tests.chaos.database import Database
from tests.infrastructure.kubelet.caller import Caller
from tests.infrastructure.kubelet.cluster import Cluster, cluster_on, deployments
from tests.infrastructure.kubelet.endured import Endured
from tests.infrastructure.kubelet.jobs import Jobs
from tests.infrastructure.kubelet.node import OPERATOR_KEY, Node
from tests.infrastructure.kubelet.outcome import Outcome, outcome_of
from tests.infrastructure.kubelet.pace import Pace
from tests.infrastructure.kubelet.plan import MUTANTS, Plan
from tests.infrastructure.kubelet.probe import Probe
from tests.infrastructure.kubelet.reckoning import reckon
from tests.infrastructure.kubelet.tally import Tally
from tests.infrastructure.kubelet.tenant import Tenant, new_tenant
from tests.infrastructure.kubelet.traffic import Traffic

START_SECONDS = 120.0
ROLLOUT_SECONDS = 300.0
TENANTS = 3
FAULTS_RATE = 20.0
TAKEN_UP_SECONDS = 1.0
Tell = Callable[[str], None]


@dataclass(slots=True)
class Run:
    plan: Plan
    cluster: Cluster
    dsn: str
    tell: Tell
    jobs: Jobs
    tally: Tally
    ready: Probe
    tenants: list[Tenant] = field(default_factory=list)

    async def go(self) -> Outcome:
        await self._begin()
        traffic = self._traffic()
        asking = asyncio.create_task(traffic.run())
        seconds = await self._roll()
        self.tally.enter("waiting")
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        self.tell("waiting for what was begun")
        await traffic.all_answered()
        in_time = await self.jobs.all_told(self.plan.patience)
        reckoning = await reckon(self.dsn, self.tenants, self.jobs)
        outcome = outcome_of(self, traffic, seconds, reckoning, in_time)
        return outcome if not self.plan.faults else await self._endure(outcome, traffic)

    async def _endure(self, outcome: Outcome, traffic: Traffic) -> Outcome:
        self.tell("faults")
        operator = await asyncpg.connect(self.dsn)
        endured = Endured(
            cluster=self.cluster,
            jobs=self.jobs,
            tally=self.tally,
            tenants=self.tenants,
            dsn=self.dsn,
            operator=operator,
            ready=self.ready,
        )
        traffic.rate = FAULTS_RATE
        asking = asyncio.create_task(traffic.run())
        try:
            await endured.under_traffic()
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
            await traffic.all_answered()
            endured.kept["every job is told to its end"] = await self.jobs.all_told(
                self.plan.patience
            )
            await endured.without_traffic()
        finally:
            await operator.close()
        return replace(outcome, endured=endured.kept, figures_of_faults=endured.figures)

    async def _begin(self) -> None:
        """Everything is there, and a forecast of each tenant's."""
        self.tell("starting pods")
        await self.cluster.roll(START_SECONDS)
        await self.cluster.known()
        await self.cluster.answer(self.ready)  # also where a mutant asks no probes
        operator = self.cluster.node.secrets[OPERATOR_KEY]
        for number in range(TENANTS):
            self.tenants.append(await new_tenant(self.jobs.caller, operator, number))
        self.tell("training a first time")
        await asyncio.gather(*map(self.jobs.begin, self.tenants))
        await self.jobs.all_told(START_SECONDS)

    async def _roll(self) -> dict[str, float]:
        self.tell("before")
        self.tally.enter("before")
        await asyncio.sleep(self.plan.before)
        self.tally.enter("during")
        began = time.monotonic()
        self.tell("rolling out")
        await self.jobs.begin(self.tenants[0], max_trials=self.plan.trials, families=None)
        await asyncio.sleep(TAKEN_UP_SECONDS)
        seconds = await self.cluster.roll(ROLLOUT_SECONDS)
        self.tell("waiting for who leaves")
        await self.cluster.all_left()
        seconds["all"] = round(time.monotonic() - began, 1)
        self.tally.enter("after")
        self.tell("after")
        await asyncio.sleep(self.plan.after)
        return seconds

    def _traffic(self) -> Traffic:
        plan = self.plan
        return Traffic(
            caller=self.jobs.caller,
            tenants=self.tenants,
            tally=self.tally,
            jobs=self.jobs,
            rate=plan.rate,
            job_seconds=plan.job_seconds,
            most_jobs=plan.most_jobs,
            random=Random(plan.seed),
        )


@asynccontextmanager
async def opened(
    plan: Plan, manifests: Manifests, folder: Path, database: Database, tell: Tell
) -> AsyncIterator[Run]:
    """A run about to go; nothing of it is left in the end."""
    change = MUTANTS[plan.mutant] if plan.mutant is not None else lambda each: each
    replicas = {"api": plan.apis, "worker": plan.workers}
    ready = deployments(manifests, replicas)["api"].template.startup
    assert ready is not None
    wanted = deployments(manifests, replicas, change)
    pace = Pace(plan.pace)
    node = Node(folder, {API: database.dsn(API), WORKER: database.dsn(WORKER)}, pace)
    name = wanted["api"].template.environment["MORROW_ALLOWED_HOSTS"]
    async with cluster_on(node, manifests, wanted, pace) as cluster:
        caller, tally = Caller(cluster.proxy.port, name), Tally()
        jobs = Jobs(caller, tally)
        try:
            yield Run(plan, cluster, database.dsn("postgres"), tell, jobs, tally, ready)
        finally:
            await jobs.close()
            caller.close()
