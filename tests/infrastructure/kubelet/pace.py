"""How fast a manifest's waiting goes by: a test may wait less where all that waits does."""

import math
from dataclasses import dataclass, replace

from tests.infrastructure.kubelet.probe import Probe


@dataclass(frozen=True, slots=True)
class Pace:
    """`factor` scales the waiting between probes, of `preStop`, of a worker's drain and of what
    proxies take to learn of a pod, alike. `grace_factor` scales what ends a pod that does not end,
    and is 1 unless the test is of such a pod, since what a program takes to leave is not scaled."""

    factor: float = 1.0
    grace_factor: float = 1.0

    def wait(self, seconds: float) -> float:
        return seconds * self.factor

    def as_long(self, probe: Probe) -> Probe:
        """Asked more often, and failed after the same time: a program starts no faster."""
        return replace(probe, failures=math.ceil(probe.failures / self.factor))

    def grace(self, seconds: float) -> float:
        return seconds * self.grace_factor
