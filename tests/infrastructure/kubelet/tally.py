"""Everything that was asked of the service while it ran, and what came of it."""

import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from statistics import quantiles

MOST_TOLD = 20


@dataclass(slots=True)
class Tally:
    """`phase` is what just goes on, of the latencies alone. `failed` counts each request without
    the answer that it should have had, by what came instead; `examples` tells some of them."""

    phase: str = ""
    asked: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)
    seconds: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    _began: dict[str, float] = field(default_factory=dict)
    _ended: dict[str, float] = field(default_factory=dict)

    def enter(self, phase: str) -> None:
        self._ended[self.phase] = self._began[phase] = time.monotonic()
        self.phase = phase

    def rate(self, phase: str) -> float:
        """Answers a second, of what was asked in it."""
        spent = self._ended.get(phase, time.monotonic()) - self._began[phase]
        return round(len(self.seconds[phase]) / spent, 1)

    def answered(self, kind: str, phase: str, seconds: float) -> None:
        self.asked[kind] += 1
        self.seconds[phase].append(seconds)

    def fail(self, kind: str, how: str, detail: str = "") -> None:
        self.asked[kind] += 1
        self.failed[f"{kind}: {how}"] += 1
        if len(self.examples) < MOST_TOLD:
            self.examples.append(f"{self.phase}: {kind}: {how} {detail}")

    def milliseconds(self, phase: str) -> dict[str, float]:
        """The median, the 99th percentile and the longest."""
        seconds = self.seconds[phase]
        if len(seconds) < 2:
            return {}
        cuts = quantiles(seconds, n=100, method="inclusive")
        return {
            "p50": round(cuts[49] * 1000, 1),
            "p99": round(cuts[98] * 1000, 1),
            "longest": round(max(seconds) * 1000, 1),
        }
