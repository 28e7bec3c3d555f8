"""Tenants drawn from a seed: how many series each has, of which classes, and where it lives."""

from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np

from benchmarks.scaling.assumptions import Assumptions
from services.training.demand.classification import VolumeClass

SEED: Final = 2026
NORMAL: Final = NormalDist()
EUROPE, AMERICAS, ASIA = (0, 1, 1, 2, 3), (-8, -7, -6, -5, -5, -3), (5, 7, 8, 9, 10)


@dataclass(frozen=True, slots=True)
class Tenant:
    """`offset`: hours by which its clock is ahead of UTC. `series`: the class of each."""

    number: int
    offset: int
    series: tuple[VolumeClass, ...]


def draw_tenants(count: int, given: Assumptions, seed: int = SEED) -> list[Tenant]:
    """The first so many: those of a small town are among those of a large one. Sizes are a sample
    with equal weights of the log-normal distribution, so that no draw decides the mean."""
    random = np.random.default_rng([seed, 1])
    sizes = _sizes(count, given)
    random.shuffle(sizes)
    return [
        Tenant(number, _offset(random, given), _classes(random, int(size), given))
        for number, size in enumerate(sizes)
    ]


def mean_series(given: Assumptions) -> float:
    """Of many tenants."""
    return float(_sizes(100_000, given).mean())


def _sizes(count: int, given: Assumptions) -> np.ndarray:
    at = [NORMAL.inv_cdf((number + 0.5) / count) for number in range(count)]
    sizes = given.series_median * np.exp(given.series_sigma * np.array(at))
    return np.clip(np.round(sizes), 1, given.series_most)


def _offset(random: np.random.Generator, given: Assumptions) -> int:
    at = random.random()
    if at < given.share_europe:
        return int(random.choice(EUROPE))
    if at < given.share_europe + given.share_americas:
        return int(random.choice(AMERICAS))
    return int(random.choice(ASIA))


def _classes(random: np.random.Generator, size: int, given: Assumptions) -> tuple[VolumeClass, ...]:
    shares = {
        VolumeClass.HIGH: given.share_high,
        VolumeClass.MEDIUM: given.share_medium,
        VolumeClass.LOW: given.share_low,
        VolumeClass.INTERMITTENT: given.share_intermittent,
    }
    weights = np.array(list(shares.values()))
    drawn = random.choice(len(weights), size, p=weights / weights.sum())
    return tuple(list(shares)[at] for at in drawn)
