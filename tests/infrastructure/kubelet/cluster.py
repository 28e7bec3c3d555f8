"""A node with both Deployments of the production overlay, and the proxy in front of the API."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from infrastructure.kubernetes.checks.life import ROUTED_AWAY_SECONDS
from infrastructure.kubernetes.checks.manifests import Manifests
from tests.infrastructure.kubelet.endpoints import Endpoints
from tests.infrastructure.kubelet.kubelet import Kubelet
from tests.infrastructure.kubelet.node import Node
from tests.infrastructure.kubelet.pace import Pace
from tests.infrastructure.kubelet.pod import Pod
from tests.infrastructure.kubelet.probe import Probe, ask
from tests.infrastructure.kubelet.proxy import Proxy, proxying
from tests.infrastructure.kubelet.rollout import Controller
from tests.infrastructure.kubelet.template import Deployment, Template, annotation_of_the_ingress

LOOK_SECONDS = 0.05


@dataclass(slots=True)
class Cluster:
    node: Node
    pace: Pace
    kubelet: Kubelet
    endpoints: Endpoints
    proxy: Proxy
    api: Controller
    worker: Controller

    async def roll(self, seconds: float) -> dict[str, float]:
        """Both, to a revision that differs in nothing else; the seconds of each. Raises Stuck."""
        async with asyncio.TaskGroup() as group:
            rolls = {
                each.template.name: group.create_task(each.roll(replace(each.template), seconds))
                for each in (self.api, self.worker)
            }
        return {name: round(roll.result(), 1) for name, roll in rolls.items()}

    async def all_left(self) -> None:
        """Until who was to leave has left."""
        while any(pod.leaving.is_set() and not pod.gone for pod in self.kubelet.pods):
            await asyncio.sleep(LOOK_SECONDS)

    async def known(self) -> None:
        """Until the proxy knows of all that are ready."""
        while len(self.endpoints.routed) < sum(pod.ready for pod in self.api.pods()):
            await asyncio.sleep(LOOK_SECONDS)

    async def answer(self, probe: Probe) -> None:
        """Until every pod of the API does."""
        for pod in self.api.pods():
            while not await ask(probe, pod.port):
                await asyncio.sleep(LOOK_SECONDS)


def deployments(
    manifests: Manifests,
    replicas: Mapping[str, int],
    change: Callable[[Deployment], Deployment] = lambda it: it,
) -> dict[str, Deployment]:
    """Those of the manifests, of so many pods, with a fault planted by `change`."""
    read = {name: Deployment.read(manifests, name) for name in ("api", "worker")}
    return {
        name: change(replace(each, replicas=replicas.get(name, each.replicas)))
        for name, each in read.items()
    }


@asynccontextmanager
async def cluster_on(
    node: Node, manifests: Manifests, wanted: Mapping[str, Deployment], pace: Pace
) -> AsyncIterator[Cluster]:
    """Nothing runs yet: the first rollout starts it. Nothing is left of it in the end."""
    endpoints = Endpoints(pace.wait(ROUTED_AWAY_SECONDS))
    next_upstream = annotation_of_the_ingress(manifests, "proxy-next-upstream")
    async with proxying(endpoints, next_upstream) as proxy:
        kubelet = Kubelet(node, pace, lambda pod: _follow(endpoints, kubelet, pod))
        controllers = {
            name: Controller(each, kubelet, each.template) for name, each in wanted.items()
        }
        try:
            yield Cluster(
                node, pace, kubelet, endpoints, proxy, controllers["api"], controllers["worker"]
            )
        finally:
            await kubelet.close()


def _follow(endpoints: Endpoints, kubelet: Kubelet, told: Pod) -> None:
    if "http" in told.ports:
        endpoints.follow(pod for pod in kubelet.pods if "http" in pod.ports)


def changed(deployment: Deployment, **values: object) -> Deployment:
    """With other values in its template."""
    template: Template = replace(deployment.template, **values)  # type: ignore[arg-type]
    return replace(deployment, template=template)
