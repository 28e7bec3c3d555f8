"""A picture of a day: the queue, the slots at work, the database's cores by what asks for them."""

from pathlib import Path
from typing import Final

import numpy as np
from matplotlib.figure import Figure

from benchmarks.scaling.assumptions import Assumptions
from benchmarks.scaling.capacity import Day
from benchmarks.scaling.inputs import Inputs
from benchmarks.scaling.limits import sized
from benchmarks.scaling.load import rate
from benchmarks.scaling.simulation import BIN
from benchmarks.scaling.traffic import BINS

HOURS: Final = np.arange(BINS) * BIN / 3600


def draw(day: Day, tenants: int, inputs: Inputs, given: Assumptions, into: Path) -> None:
    """As the file's ending says; hours are UTC from the quietest on."""
    at = sized(day, tenants, inputs, given)
    figure = Figure(figsize=(8, 7), layout="constrained")
    queue, slots, cores = figure.subplots(3, sharex=True)
    stands_for = at.day.stands_for
    queue.step(HOURS, rate(day.course.depth, stands_for) * BIN)
    queue.set_ylabel("tasks queued")
    slots.step(HOURS, rate(day.course.busy, stands_for))
    slots.axhline(at.day.slots, linestyle=":")
    slots.set_ylabel("slots at work")
    cores.stackplot(HOURS, *at.load.db_cores.values(), labels=list(at.load.db_cores))
    cores.set_ylabel("cores of the database")
    cores.set_xlabel("hours since the quietest of the day")
    cores.legend(loc="upper left", fontsize="x-small")
    figure.suptitle(f"{tenants:,} tenants")
    figure.savefig(into)
