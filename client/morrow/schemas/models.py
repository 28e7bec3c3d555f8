"""Model versions."""

from typing import Any, Literal, TypedDict

Alias = Literal["champion", "previous", "challenger", "paper"]


class Scores(TypedDict):
    """Null where undefined, or where nobody judged the model."""

    wape: float | None
    wql: float | None
    bias: float | None
    mase: float | None
    coverage80: float | None


class Model(TypedDict):
    """`quarantined_at` is set when the model's artifact was found damaged."""

    id: str
    product: str
    location: str
    version: int
    family: str
    params: dict[str, Any]
    scores: Scores
    baseline_scores: Scores
    skill: float | None
    stage: Literal["paper", "discovery", "validation", "mature", "decay"]
    confidence: float
    fingerprint: str
    sha256: str
    bytes: int
    horizon_days: int
    interval_coverage: float | None
    trained_through: str
    created_at: str
    quarantined_at: str | None
    aliases: list[Alias]


class ModelDetail(Model):
    """A model version, and how it came about."""

    fold_scores: list[dict[str, Any]]
    trials: list[dict[str, Any]]
    effects: dict[str, Any]
    demand_class: str | None
    warnings: list[str]
    lineage: dict[str, Any]


class DamagedArtifact(TypedDict):
    """`found` is the digest the bytes have, null where there are none."""

    model_id: str
    sha256: str
    found: str | None


class Verification(TypedDict):
    checked: int
    corrupt: list[DamagedArtifact]
