"""Where proxies send requests: the pods that are ready, as they learn of them, some time later."""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.infrastructure.kubelet.pod import Pod


@dataclass(slots=True)
class Endpoints:
    """`delay` seconds go by between a pod's being ready, or deleted, and the proxies' knowing."""

    delay: float
    routed: tuple[int, ...] = ()
    ever: set[int] = field(default_factory=set)
    none_since: float | None = None
    without: float = 0.0
    """The seconds in which nobody was routed to, after somebody had been."""

    def follow(self, pods: Iterable[Pod]) -> None:
        """What they are just now is what proxies do later on, in the order of its happening."""
        ports = tuple(pod.port for pod in pods if pod.routable)
        asyncio.get_running_loop().call_later(self.delay, self._route, ports)

    def _route(self, ports: tuple[int, ...]) -> None:
        if ports and self.none_since is not None:
            self.without += time.monotonic() - self.none_since
            self.none_since = None
        elif not ports and self.ever and self.none_since is None:
            self.none_since = time.monotonic()
        self.routed = ports
        self.ever.update(ports)
