"""Faults that pods endure, or do not: what a node does about each, and what it costs who asks."""

import asyncio
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import asyncpg

from tests.infrastructure.kubelet.away import away
from tests.infrastructure.kubelet.cluster import Cluster
from tests.infrastructure.kubelet.jobs import Jobs
from tests.infrastructure.kubelet.pace import Pace
from tests.infrastructure.kubelet.pod import DELETED, KILLED, LEFT, Pod
from tests.infrastructure.kubelet.probe import Probe, ask
from tests.infrastructure.kubelet.rollout import Stuck
from tests.infrastructure.kubelet.tally import Tally
from tests.infrastructure.kubelet.tenant import Tenant

PACE = Pace(factor=0.1, grace_factor=0.05)
"""Of a pod that hears nothing the grace is waited out in vain, so it need not be long."""
STUCK_SECONDS = 6.0
START_SECONDS = 120.0
LOOK_SECONDS = 0.05
LOST_WITH_IT = {"write: 502", "job: 502", "stream: ended 1006"}
STORAGE = "MORROW_MODEL_STORAGE_PATH"
TRAININGS = """
    SELECT id, attempt FROM tasks
    WHERE kind = 'train' AND state = 'running' AND worker LIKE '%-' || $1
"""
TAKEN_OVER = "SELECT count(*) FROM tasks WHERE id = ANY($1) AND state = 'succeeded' AND attempt = 2"


@dataclass(slots=True)
class Endured:
    """What came of the faults: each promise, and the figures beside them."""

    cluster: Cluster
    jobs: Jobs
    tally: Tally
    tenants: list[Tenant]
    dsn: str
    operator: "asyncpg.Connection[asyncpg.Record]"
    ready: Probe
    kept: dict[str, bool] = field(default_factory=dict)
    figures: dict[str, float] = field(default_factory=dict)

    async def under_traffic(self) -> None:
        self.cluster.kubelet.pace = PACE
        await self.never_ready()
        await asyncio.gather(self.frozen_api(), self.frozen_worker())

    async def without_traffic(self) -> None:
        await self.database_away()

    async def never_ready(self) -> None:
        """A release whose pods cannot reach their store."""
        api, endpoints = self.cluster.api, self.cluster.endpoints
        before, was = set(api.pods()), api.template
        nowhere = self.cluster.node.folder / "no-directory"
        nowhere.write_text("")
        bad = replace(was, environment={**was.environment, STORAGE: str(nowhere / "models")})
        stopped = False
        try:
            await api.roll(bad, STUCK_SECONDS)
        except Stuck:
            stopped = True
        new = set(api.pods()) - before
        self.kept["a pod that is never ready stops the rollout"] = (
            stopped and len(new) == api.deployment.surge and before < set(api.pods())
        )
        self.kept["a pod that is never ready is never routed to"] = bool(new) and not any(
            pod.port in endpoints.ever for pod in new
        )
        for pod in new:
            self.cluster.kubelet.delete(pod)
        await api.roll(was, START_SECONDS)

    async def frozen_api(self) -> None:
        """It is not routed to before long, killed later, and started again."""
        pod = self.cluster.api.pods()[0]
        failed, began = self.tally.failed.copy(), time.monotonic()
        self.tally.enter("frozen")
        pod.running().send(signal.SIGSTOP)
        await _until(lambda: pod.port not in self.cluster.endpoints.routed)
        self.figures["frozen and routed to, seconds"] = round(time.monotonic() - began, 1)
        answered = len(self.tally.seconds["frozen"])
        await _until(lambda: pod.restarts > 0 and pod.ready)
        self.figures["frozen until it was ready again, seconds"] = round(
            time.monotonic() - began, 1
        )
        lost = self.tally.failed - failed
        self.figures["requests that were at it and may not be repeated"] = lost.total()
        self.figures["answered meanwhile"] = len(self.tally.seconds["frozen"]) - answered
        self.kept["a frozen pod is killed, and another begins"] = pod.has(KILLED)
        self.kept["requests to others go on"] = self.figures["answered meanwhile"] > 0
        self.kept["of a frozen pod only what it was sent fails"] = lost.keys() <= LOST_WITH_IT

    async def frozen_worker(self) -> None:
        """It ignores SIGTERM in the middle of its trainings."""
        doomed, tasks = await self._freeze_in_mid_training()
        self.cluster.kubelet.delete(doomed)
        await self.cluster.worker.roll(self.cluster.worker.template, START_SECONDS)
        await _until(lambda: doomed.gone)
        self.figures["frozen worker gone, seconds"] = round(
            doomed.when(LEFT) - doomed.when(DELETED), 1
        )
        self.kept["who ignores SIGTERM is killed when its grace is over"] = doomed.has(KILLED)
        with suppress(TimeoutError):
            async with asyncio.timeout(START_SECONDS):
                while await self.operator.fetchval(TAKEN_OVER, tasks) < len(tasks):
                    await asyncio.sleep(LOOK_SECONDS)
        self.kept["its tasks are taken by others"] = await self.operator.fetchval(
            TAKEN_OVER, tasks
        ) == len(tasks)

    async def database_away(self) -> None:
        """For longer than a pod may be silent. Who is told to leave just then leaves."""
        cluster = self.cluster
        pods = [*cluster.api.pods(), *cluster.worker.pods()]
        restarts = sum(pod.restarts for pod in pods)
        [*others, api], [*_, worker] = cluster.api.pods(), cluster.worker.pods()
        cluster.kubelet.pace = replace(PACE, grace_factor=1.0)
        async with away(self.dsn, self.operator):
            ready = await ask(self.ready, api.port)
            await asyncio.sleep(_silence(api, PACE) + 1)
            self.kept["without the database nobody is ready, and all live and are routed to"] = (
                not ready and all(pod.ready for pod in pods)
            )
            for pod in (api, worker):
                cluster.kubelet.delete(pod)
            await _until(lambda: api.gone and worker.gone)
        self.kept["without the database pods leave by themselves"] = not (
            api.has(KILLED) or worker.has(KILLED)
        )
        self.kept["without the database no pod is started again"] = restarts == sum(
            pod.restarts for pod in pods
        )
        for pod in (api, worker):
            name = f"{pod.template.name} without the database, seconds to leave"
            self.figures[name] = round(pod.seconds_to_leave(), 1)
        async with asyncio.timeout(START_SECONDS):
            await cluster.answer(self.ready)
        self.kept["when it is back they are ready again"] = others == cluster.api.pods()

    async def _freeze_in_mid_training(self) -> tuple[Pod, list[Any]]:
        async with asyncio.timeout(START_SECONDS):
            while True:
                if not self.jobs.open:
                    await self.jobs.begin(self.tenants[0])
                for pod in self.cluster.worker.pods():
                    if await self._trainings(pod):
                        pod.running().send(signal.SIGSTOP)
                        await asyncio.sleep(4 * LOOK_SECONDS)  # what it had sent is done by then
                        if tasks := await self._trainings(pod):
                            return pod, tasks
                        pod.running().send(signal.SIGCONT)
                await asyncio.sleep(LOOK_SECONDS)

    async def _trainings(self, pod: Pod) -> list[Any]:
        rows = await self.operator.fetch(TRAININGS, str(pod.running().pid))
        return [row["id"] for row in rows]


def _silence(pod: Pod, pace: Pace) -> float:
    """After so many seconds without an answer it is started again."""
    probe = pod.template.liveness
    assert probe is not None
    return probe.failures * max(probe.timeout, pace.wait(probe.period))


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(START_SECONDS):
        while not condition():
            await asyncio.sleep(LOOK_SECONDS)
