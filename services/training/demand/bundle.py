"""A trained model as JSON: everything a replay of its forecast needs, beside the series itself."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from functools import lru_cache
from importlib.metadata import version
from typing import Final

import pandas as pd

from services.training.demand.calibrate import Calibration
from services.training.demand.config import Family, TrainingConfig
from services.training.demand.entry import Entry, Fitted
from services.training.demand.families import restore
from services.training.demand.prediction import forecast_frame
from services.training.demand.series import Series

ENGINE_VERSION: Final = 7
"""Rises with every change that makes the same series and configuration train differently."""
_LIBRARIES: Final = ("holidays", "lightgbm", "numpy", "optuna", "pandas", "prophet")


class ForeignBundleError(ValueError):
    """A bundle of another engine, or of another series' bytes."""


def make_bundle(
    series: Series, config: TrainingConfig, entry: Entry, fitted: Fitted, calibration: Calibration
) -> dict[str, object]:
    return {
        "engine": ENGINE_VERSION,
        "family": entry.family.value,
        "params": entry.params,
        "config": asdict(config),
        "data_sha256": _digest(series),
        "libraries": dict(_library_versions()),
        "calibration": [list(row) for row in calibration.offsets],
        "model": fitted.to_dict(),
    }


def replay(bundle: dict[str, object], series: Series) -> pd.DataFrame:
    """The forecast of `Trained.forecast` once more, from the bundle and its series.

    Raises `ForeignBundleError` where the series is not the one the model was trained on."""
    if bundle["engine"] != ENGINE_VERSION:
        raise ForeignBundleError(
            f"bundle of engine {bundle['engine']}; this one is {ENGINE_VERSION}: train again"
        )
    if bundle["data_sha256"] != _digest(series):
        raise ForeignBundleError(
            f"bundle was trained on data {bundle['data_sha256']}, not on {_digest(series)}"
        )
    content = bundle["model"]
    assert isinstance(content, dict)
    params = bundle["params"]
    assert isinstance(params, dict)
    fitted = restore(Family(str(bundle["family"])), params, content, series)
    return serve(fitted, _calibration(bundle), series)


def serve(fitted: Fitted, calibration: Calibration, series: Series) -> pd.DataFrame:
    """The calibrated forecast of the plan as `Trained.forecast` holds it."""
    return forecast_frame(calibration.apply(fitted.predict()), series.plan)


def _calibration(bundle: dict[str, object]) -> Calibration:
    rows = bundle["calibration"]
    assert isinstance(rows, list)
    return Calibration(tuple(tuple(float(x) for x in row) for row in rows))


def _digest(series: Series) -> str:
    return hashlib.sha256(series.to_bytes()).hexdigest()


@lru_cache(maxsize=1)
def _library_versions() -> dict[str, str]:
    return {name: version(name) for name in _LIBRARIES}
