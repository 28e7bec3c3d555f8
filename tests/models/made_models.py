"""Bundles and versions made to measure."""

import datetime as dt
from typing import Any

from services.training.demand.outcome import Stage
from services.training.demand.prediction import LEVELS
from services.training.models.bundle import Bundle, pack
from services.training.models.new_model import NewModel, new_model
from shared.artifacts import Artifact
from shared.canonical import sha256_of

THROUGH = dt.date(2026, 6, 30)
SCORES = {"wape": 0.2, "wql": 0.1, "bias": -0.01, "mase": 0.9, "coverage80": 0.81}


def forecast_days(days: int) -> list[dict[str, Any]]:
    return [
        {
            "date": THROUGH + dt.timedelta(days=number),
            "mean": 10.0 + number,
            "quantiles": [10.0 + number + level for level in LEVELS],
            "open": True,
        }
        for number in range(1, days + 1)
    ]


def made_bundle(days: int = 3, **changes: Any) -> Bundle:
    content = {
        "product": "Croissant",
        "location": "main",
        "family": "prophet",
        "params": {"changepoint_prior_scale": 0.05},
        "scores": SCORES,
        "baseline_scores": SCORES | {"wql": 0.15},
        "skill": 0.33,
        "stage": "validation",
        "confidence": 0.85,
        "interval_coverage": 0.79,
        "trained_through": THROUGH,
        "levels": LEVELS,
        "forecast": forecast_days(days),
        "demand_class": "smooth",
        "warnings": ["gaps: two days are missing"],
        "fold_scores": [{"fold": 0, "wql": 0.1}],
        "trials": [{"number": 0, "loss": 1.5}],
        "effects": {"weekly": {"magnitude": 2.0}},
        "replay": {
            "engine": 1,
            "config": {"seed": 2026},
            "data_sha256": "d" * 64,
            "libraries": {"prophet": "1.5.0"},
            "calibration": [[0.0]],
            "model": {"beta": [0.1, 0.2]},
        },
    }
    return Bundle.model_validate(content | changes)


def made_model(series_id: int, fingerprint: str = "f1", **changes: Any) -> NewModel:
    """A version whose artifact nobody stored."""
    bundle = made_bundle(**{"stage": Stage.VALIDATION} | changes)
    data = pack(bundle)
    artifact = Artifact(sha256_of(data), len(data))
    return new_model(bundle, series_id, fingerprint, artifact, {"job_id": "j1"})
