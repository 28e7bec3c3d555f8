"""The bodies of the models' routes."""

import datetime as dt
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from services.training.demand.outcome import Stage
from services.training.models.aliases import Alias
from services.training.models.store import Version
from services.training.models.verification import Verification
from shared.text import Name


class ScoresOut(BaseModel):
    """Over the days of the contest; null where undefined, or where nobody judged the model."""

    wape: float | None = None
    wql: float | None = None
    bias: float | None = None
    mase: float | None = None
    coverage80: float | None = None


class ModelOut(BaseModel):
    """A model version. `quarantined_at` is set when its artifact was found damaged."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    product: str
    location: str
    version: int
    family: str
    params: dict[str, Any]
    scores: ScoresOut
    baseline_scores: ScoresOut
    skill: float | None
    stage: Stage
    confidence: float
    fingerprint: str
    sha256: str
    bytes: int
    horizon_days: int
    interval_coverage: float | None
    trained_through: dt.date
    created_at: dt.datetime
    quarantined_at: dt.datetime | None
    aliases: list[Alias]


class ModelDetail(ModelOut):
    """A model version, and how it came about."""

    fold_scores: list[dict[str, Any]] = []
    trials: list[dict[str, Any]] = []
    effects: dict[str, Any] = {}
    demand_class: str | None = None
    warnings: list[str] = []
    lineage: dict[str, Any] = {}


class ModelPage(BaseModel):
    items: list[ModelOut]
    next_cursor: str | None


class RollbackBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    product: Name
    location: Name = "main"


class DamagedArtifact(BaseModel):
    """`found` is the digest the bytes have, null where there are none."""

    model_id: UUID
    sha256: str
    found: str | None


class VerificationOut(BaseModel):
    checked: int
    corrupt: list[DamagedArtifact]


def shown(version: Version) -> ModelOut:
    return ModelOut(**_columns(version))


def shown_in_detail(version: Version) -> ModelDetail:
    return ModelDetail(**_columns(version), **version.model.detail)


def shown_verification(verification: Verification) -> VerificationOut:
    corrupt = [
        DamagedArtifact(model_id=damage.model_id, sha256=damage.sha256, found=damage.found)
        for damage in verification.damaged
    ]
    return VerificationOut(checked=verification.checked, corrupt=corrupt)


def _columns(version: Version) -> dict[str, Any]:
    told = ModelOut.model_fields.keys() - {"product", "location", "aliases"}
    return {name: getattr(version.model, name) for name in told} | {
        "product": version.product,
        "location": version.location,
        "aliases": [Alias(alias) for alias in version.aliases],
    }
