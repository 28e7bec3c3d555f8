"""How fast a manifest's waiting goes by: a test may wait less where all that waits does."""

from dataclasses import dataclass

LEAST_TIMEOUT_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Pace:
    """`factor` scales the waiting between probes, of `preStop` and of what proxies take to learn of
    a pod, alike. `grace_factor` scales what ends a pod that does not end, and is 1 unless the
    test is of such a pod, since what the program takes to leave is not scaled."""

    factor: float = 1.0
    grace_factor: float = 1.0

    def wait(self, seconds: float) -> float:
        return seconds * self.factor

    def timeout(self, seconds: float) -> float:
        return max(min(seconds, LEAST_TIMEOUT_SECONDS), seconds * self.factor)

    def grace(self, seconds: float) -> float:
        return seconds * self.grace_factor
