"""What was measured, as the model reads it: numbers by name, from `measured.json`."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from services.training.demand.classification import VolumeClass

MEASURED: Final = Path(__file__).with_name("measured.json")
POOL_PREFIX: Final = "pool_cpu_s_of_"


class InputMissing(KeyError):
    """The file does not say what the model asks for."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name}: measure it with `python -m benchmarks.scaling.measuring`")


@dataclass(frozen=True, slots=True)
class Inputs:
    """Milliseconds, seconds, bytes and counts, as their names say."""

    figures: Mapping[str, float]

    def of(self, name: str) -> float:
        """The number; what is a cost is never below zero, whatever noise made of it."""
        if name not in self.figures:
            raise InputMissing(name)
        return max(0.0, self.figures[name])

    def scaled(self, name: str, factor: float) -> "Inputs":
        """The same with all of the figures that begin so multiplied."""
        if not any(each.startswith(name) for each in self.figures):
            raise InputMissing(name)
        return Inputs(
            {
                each: value * (factor if each.startswith(name) else 1.0)
                for each, value in self.figures.items()
            }
        )

    def train_seconds(self, volume: VolumeClass) -> float:
        return self.of(f"train_cpu_s_{volume.value}")

    def slot_own_seconds(self) -> float:
        """Of the worker's process for a series while its slot waits: all but the preparing, which
        has slots of its own."""
        return max(0.0, self.of("series_worker_ms") - self.of("series_prepare_ms")) / 1000

    def most_slots(self) -> float:
        """That one worker process can feed: it has one core, and takes some of it for each series,
        while the children take theirs."""
        trained = min(self.train_seconds(volume) for volume in VolumeClass)
        return (trained + self.slot_own_seconds()) / (self.of("series_worker_ms") / 1000)

    def pool_seconds(self, series: int) -> float:
        """Of the child that learns the pool of so many series: a power law through what was
        measured, by least squares of the logarithms."""
        return _power_law(self._pools(), series)

    def _pools(self) -> list[tuple[int, float]]:
        return sorted(
            (int(name.removeprefix(POOL_PREFIX).removesuffix("_series")), value)
            for name, value in self.figures.items()
            if name.startswith(POOL_PREFIX)
        )


def _power_law(points: list[tuple[int, float]], series: int) -> float:
    logs = [(math.log(at), math.log(value)) for at, value in points]
    n = len(logs)
    x, y = sum(a for a, _ in logs) / n, sum(b for _, b in logs) / n
    spread = sum((a - x) ** 2 for a, _ in logs)
    slope = sum((a - x) * (b - y) for a, b in logs) / spread if spread else 0.0
    return math.exp(y + slope * (math.log(series) - x))


def read_inputs(path: Path = MEASURED) -> tuple[Inputs, dict[str, Any]]:
    """The figures of all parts, and on what machine each part was measured, and when."""
    parts = json.loads(path.read_text())["parts"]
    figures = {
        name: each["value"] for part in parts.values() for name, each in part["figures"].items()
    }
    return Inputs(figures), {name: part["machine"] for name, part in parts.items()}
