"""What a node does with a pod: starts it, asks it, starts it again, and has it leave.

Of Kubernetes it plays: the startup probe before all others; readiness, that is told on; liveness,
after whose failure the container leaves as at its deletion, and another follows; `preStop` within
the grace, then SIGTERM, at least two seconds more, then SIGKILL; a back-off between crashes.
"""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace

from shared.background import running
from tests.infrastructure.kubelet import pod as words
from tests.infrastructure.kubelet.container import Container
from tests.infrastructure.kubelet.node import Node
from tests.infrastructure.kubelet.pace import Pace
from tests.infrastructure.kubelet.pod import Pod
from tests.infrastructure.kubelet.probe import Probe, Verdict, ask
from tests.infrastructure.kubelet.template import Template

LEAST_GRACE_SECONDS = 2.0
BACK_OFF_SECONDS = 10.0
MOST_BACK_OFF_SECONDS = 300.0


@dataclass(slots=True)
class Kubelet:
    """`tell` hears of every pod whose place among the routed may have changed."""

    node: Node
    pace: Pace
    tell: Callable[[Pod], None]
    pods: list[Pod] = field(default_factory=list)
    _lives: set[asyncio.Task[None]] = field(default_factory=set)

    def start(self, template: Template) -> Pod:
        name = f"{template.name}-{len(self.pods)}"
        folder = self.node.folder / name
        folder.mkdir()
        pod = Pod(name, template, self.node.ports(template), folder)
        self.pods.append(pod)
        life = asyncio.create_task(self._live(pod), name=name)
        self._lives.add(life)
        life.add_done_callback(self._lives.discard)
        return pod

    def delete(self, pod: Pod) -> None:
        """Returns at once; the pod goes in its own time."""
        if not pod.leaving.is_set():
            pod.note(words.DELETED)
            pod.leaving.set()
            self.tell(pod)

    async def close(self) -> None:
        """End all that runs, at once."""
        for life in list(self._lives):
            life.cancel()
        await asyncio.gather(*self._lives, return_exceptions=True)
        for pod in self.pods:
            if pod.container is not None:
                pod.container.kill()

    async def _live(self, pod: Pod) -> None:
        back_off = BACK_OFF_SECONDS
        while not pod.leaving.is_set():
            container = pod.container = self._start_container(pod)
            why = await self._watch(pod, container)
            if why != words.DELETED:
                pod.note(why)
            self._ready(pod, False)
            await self._leave(pod, container)
            if not pod.leaving.is_set():
                pod.restarts += 1
                await _at_most(pod.leaving, self.pace.wait(back_off))
                back_off = min(2 * back_off, MOST_BACK_OFF_SECONDS)
        pod.gone = True

    def _start_container(self, pod: Pod) -> Container:
        node, template = self.node, pod.template
        environment = node.environment(template, pod.ports, pod.folder)
        command = node.command(template, pod.ports)
        return Container.start(command, environment, pod.log, node.root)

    async def _watch(self, pod: Pod, container: Container) -> str:
        """Why it has to leave, or has left."""
        watches = {
            asyncio.create_task(self._probe(pod)),
            asyncio.create_task(_crash(container)),
            asyncio.create_task(_deletion(pod)),
        }
        try:
            done, _ = await asyncio.wait(watches, return_when=asyncio.FIRST_COMPLETED)
            return done.pop().result()
        finally:
            for each in watches:
                each.cancel()
            await asyncio.gather(*watches, return_exceptions=True)

    async def _probe(self, pod: Pod) -> str:
        """Returns when the container is to be started anew."""
        template = pod.template
        if template.startup is not None and not await self._until_started(pod, template.startup):
            return words.NEVER_STARTED
        pod.note(words.STARTED)
        readiness, liveness = template.readiness, template.liveness
        if readiness is None:
            self._ready(pod, True)
        asked = [] if readiness is None else [self._readiness(pod, readiness)]
        async with running(*asked):
            if liveness is None:
                await asyncio.Event().wait()  # until it is not to be watched any more
            else:
                await self._until_dead(pod, liveness)
        return words.FAILED

    async def _until_started(self, pod: Pod, probe: Probe) -> bool:
        async for passes in self._asked(pod, self.pace.as_long(probe)):
            if passes is not None:
                return passes
        raise AssertionError

    async def _readiness(self, pod: Pod, probe: Probe) -> None:
        async for passes in self._asked(pod, probe):
            self._ready(pod, bool(passes))

    async def _until_dead(self, pod: Pod, probe: Probe) -> None:
        async for passes in self._asked(pod, probe):
            if passes is False:
                return

    async def _asked(self, pod: Pod, probe: Probe) -> AsyncIterator[bool | None]:
        """What is to be thought of the pod, once a period."""
        verdict = Verdict(probe)
        port = pod.ports[probe.port]
        await asyncio.sleep(self.pace.wait(probe.delay))
        while True:
            asked = time.monotonic()
            verdict.hear(await ask(probe, port))
            yield verdict.passes
            await asyncio.sleep(self.pace.wait(probe.period) - (time.monotonic() - asked))

    def _ready(self, pod: Pod, ready: bool) -> None:
        if pod.became_ready(ready):
            self.tell(pod)

    async def _leave(self, pod: Pod, container: Container) -> None:
        template, pace = pod.template, self.pace
        began = time.monotonic()
        grace = pace.grace(template.grace)
        if template.pre_stop:
            await container.ends_within(min(pace.wait(template.pre_stop), grace))
        pod.note(words.TOLD)
        container.send(signal.SIGTERM)
        left = max(LEAST_GRACE_SECONDS, grace - (time.monotonic() - began))
        if not await container.ends_within(left):
            pod.note(words.KILLED)
        container.kill()
        pod.note(words.LEFT)


async def _crash(container: Container) -> str:
    await container.ended()
    return words.CRASHED


async def _deletion(pod: Pod) -> str:
    await pod.leaving.wait()
    return words.DELETED


async def _at_most(event: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


def at_once(template: Template) -> Template:
    """The same, routed to as soon as it is started: what probes are for."""
    return replace(template, startup=None, readiness=None)
