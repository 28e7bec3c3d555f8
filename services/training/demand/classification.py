"""Demand class (how a product sells) and volume class (how much search it is worth)."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, assert_never

import numpy as np

from services.training.demand.prediction import Floats

_ADI_LIMIT: Final = 1.32
_CV2_LIMIT: Final = 0.49
_HIGH_VOLUME: Final = 50.0
_MEDIUM_VOLUME: Final = 10.0


class DemandClass(StrEnum):
    SMOOTH = "smooth"
    ERRATIC = "erratic"
    INTERMITTENT = "intermittent"
    LUMPY = "lumpy"


class VolumeClass(StrEnum):
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INTERMITTENT = "intermittent"


def demand_class(sales: Floats) -> DemandClass:
    """Class of Syntetos & Boylan (2005) over open days with known sales.

    ADI is days per day with demand, CV2 the squared variation of the non-zero sales; the limits
    are 1.32 and 0.49. Without any demand: intermittent.
    """
    known = sales[~np.isnan(sales)]
    sold = known[known > 0]
    if not len(sold):
        return DemandClass.INTERMITTENT
    often = len(known) / len(sold) < _ADI_LIMIT
    steady = float((sold.std() / sold.mean()) ** 2) < _CV2_LIMIT
    if often:
        return DemandClass.SMOOTH if steady else DemandClass.ERRATIC
    return DemandClass.INTERMITTENT if steady else DemandClass.LUMPY


def volume_class(sales: Floats) -> VolumeClass:
    """High from 50 units an open day on, medium from 10; intermittent and lumpy demand apart."""
    if demand_class(sales) in (DemandClass.INTERMITTENT, DemandClass.LUMPY):
        return VolumeClass.INTERMITTENT
    mean = float(np.nanmean(sales))
    if mean >= _HIGH_VOLUME:
        return VolumeClass.HIGH
    return VolumeClass.MEDIUM if mean >= _MEDIUM_VOLUME else VolumeClass.LOW


def trial_cap(volume: VolumeClass) -> int:
    """The most trials a search may spend on a product of that class."""
    match volume:
        case VolumeClass.HIGH:
            return 30
        case VolumeClass.MEDIUM:
            return 25
        case VolumeClass.LOW:
            return 20
        case VolumeClass.INTERMITTENT:
            return 15
        case _:
            assert_never(volume)
