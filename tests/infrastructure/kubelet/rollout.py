"""A Deployment's controller: as many pods as are wanted, and of which template, a few at a time."""

import asyncio
import time
from dataclasses import dataclass

from tests.infrastructure.kubelet.kubelet import Kubelet
from tests.infrastructure.kubelet.pod import Pod
from tests.infrastructure.kubelet.template import Deployment, Template

LOOK_SECONDS = 0.02


class Stuck(Exception):
    """A rollout did not come to its end in time: `kubectl rollout status` would say so."""


@dataclass(slots=True)
class Controller:
    """Pods that leave are no more its own, however long they take."""

    deployment: Deployment
    kubelet: Kubelet
    template: Template

    def pods(self) -> list[Pod]:
        name = self.deployment.template.name
        return [
            pod
            for pod in self.kubelet.pods
            if pod.template.name == name and not pod.leaving.is_set()
        ]

    async def roll(self, template: Template, seconds: float) -> float:
        """Until all pods are of `template`; how many seconds it took. Raises Stuck."""
        self.template = template
        began = time.monotonic()
        while not self._is_done():
            if time.monotonic() - began > seconds:
                raise Stuck(f"{template.name}: not rolled out within {seconds:g} s")
            self._step()
            await asyncio.sleep(LOOK_SECONDS)
        return time.monotonic() - began

    def _is_done(self) -> bool:
        pods = self.pods()
        wanted = len(pods) == self.deployment.replicas
        return wanted and all(self._is_new(pod) and self._is_available(pod) for pod in pods)

    def _step(self) -> None:
        deployment, pods = self.deployment, self.pods()
        new = sum(map(self._is_new, pods))
        room = deployment.replicas + deployment.surge - len(pods)
        for _ in range(min(room, deployment.replicas - new)):
            self.kubelet.start(self.template)
        available = sum(map(self._is_available, pods))
        spare = available - (deployment.replicas - deployment.unavailable)
        old = [pod for pod in pods if not self._is_new(pod)]
        for pod in sorted(old, key=self._is_available):
            spare -= self._is_available(pod)
            if spare < 0:
                break
            self.kubelet.delete(pod)

    def _is_new(self, pod: Pod) -> bool:
        return pod.template is self.template

    def _is_available(self, pod: Pod) -> bool:
        return pod.available(self.deployment.min_ready)
