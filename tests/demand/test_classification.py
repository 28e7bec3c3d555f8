"""Demand classes after Syntetos and Boylan, volume classes after sales a day."""

from __future__ import annotations

import numpy as np
import pytest

from services.training.demand.classification import (
    DemandClass,
    VolumeClass,
    demand_class,
    trial_cap,
    volume_class,
)


def every(days: int, sizes: list[float]) -> np.ndarray:
    """One sale every so many days, of the sizes in turn, over 120 days."""
    sales = np.zeros(120)
    sales[::days] = np.resize(sizes, len(sales[::days]))
    return sales


@pytest.mark.parametrize(
    ("sales", "expected"),
    [
        (every(1, [10.0, 11.0]), DemandClass.SMOOTH),
        (every(1, [1.0, 1.0, 1.0, 30.0]), DemandClass.ERRATIC),
        (every(2, [10.0, 11.0]), DemandClass.INTERMITTENT),
        (every(2, [1.0, 1.0, 1.0, 30.0]), DemandClass.LUMPY),
        (np.zeros(10), DemandClass.INTERMITTENT),
    ],
)
def test_the_four_classes(sales: np.ndarray, expected: DemandClass) -> None:
    assert demand_class(sales) is expected


def test_the_limits_themselves() -> None:
    often = np.array([1.0] * 100 + [0.0] * 31)
    assert demand_class(often) is DemandClass.SMOOTH
    assert demand_class(np.append(often, 0.0)) is DemandClass.INTERMITTENT
    assert demand_class(np.array([0.3, 1.7] * 50)) is DemandClass.ERRATIC
    assert demand_class(np.array([0.31, 1.69] * 50)) is DemandClass.SMOOTH


def test_unknown_days_count_neither_way() -> None:
    sales = every(2, [10.0, 11.0])
    sales[1::2] = np.nan
    assert demand_class(sales) is DemandClass.SMOOTH


@pytest.mark.parametrize(
    ("sales", "volume", "trials"),
    [
        (every(1, [50.0]), VolumeClass.HIGH, 30),
        (every(1, [49.0]), VolumeClass.MEDIUM, 25),
        (every(1, [10.0]), VolumeClass.MEDIUM, 25),
        (every(1, [9.0]), VolumeClass.LOW, 20),
        (every(3, [500.0]), VolumeClass.INTERMITTENT, 15),
    ],
)
def test_trials_by_volume(sales: np.ndarray, volume: VolumeClass, trials: int) -> None:
    assert volume_class(sales) is volume
    assert trial_cap(volume) == trials
