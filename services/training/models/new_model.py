"""A model version on its way into the database."""

from dataclasses import asdict, dataclass
from datetime import date

from services.training.demand.outcome import Stage
from services.training.models.bundle import Bundle, ForecastDay
from services.training.tables import Json
from shared.artifacts import Artifact


@dataclass(frozen=True, slots=True)
class NewModel:
    """Everything a version is told by but its number, id and aliases, which publishing gives."""

    series_id: int
    family: str
    params: Json
    scores: Json
    baseline_scores: Json
    skill: float | None
    stage: Stage
    confidence: float
    detail: Json
    fingerprint: str
    sha256: str
    bytes: int
    dataset_sha256: str | None
    horizon_days: int
    interval_coverage: float | None
    trained_through: date
    forecast: tuple[ForecastDay, ...]


def new_model(
    bundle: Bundle, series_id: int, fingerprint: str, artifact: Artifact, lineage: Json
) -> NewModel:
    """A version of the series from its bundle; `lineage` says where it came from (a job, a file)
    and is joined by engine, configuration, data digest and library versions."""
    origin = {k: v for k, v in bundle.replay.items() if k not in ("model", "calibration")}
    return NewModel(
        series_id=series_id,
        family=bundle.family,
        params=bundle.params,
        scores=asdict(bundle.scores),
        baseline_scores=asdict(bundle.baseline_scores),
        skill=bundle.skill,
        stage=bundle.stage,
        confidence=bundle.confidence,
        detail={
            "fold_scores": bundle.fold_scores,
            "trials": bundle.trials,
            "effects": bundle.effects,
            "demand_class": bundle.demand_class,
            "warnings": list(bundle.warnings),
            "lineage": origin | lineage,
        },
        fingerprint=fingerprint,
        sha256=artifact.sha256,
        bytes=artifact.bytes,
        dataset_sha256=lineage.get("dataset_sha256"),
        horizon_days=len(bundle.forecast),
        interval_coverage=bundle.interval_coverage,
        trained_through=bundle.trained_through,
        forecast=bundle.forecast,
    )


def foreign_prophet(outline: Json, series_id: int, artifact: Artifact, lineage: Json) -> NewModel:
    """A version from a model of Prophet's own. Nobody has judged it, so it is `paper`, and it
    brings no forecast: until one is computed, the rung below it answers."""
    return NewModel(
        series_id=series_id,
        family="prophet",
        params=outline["params"],
        scores={},
        baseline_scores={},
        skill=None,
        stage=Stage.PAPER,
        confidence=0.0,
        detail={"lineage": {"prophet_version": outline["prophet_version"], **lineage}},
        fingerprint=imported_fingerprint(artifact),
        sha256=artifact.sha256,
        bytes=artifact.bytes,
        dataset_sha256=None,
        horizon_days=0,
        interval_coverage=None,
        trained_through=date.fromisoformat(outline["trained_through"]),
        forecast=(),
    )


def imported_fingerprint(artifact: Artifact) -> str:
    """Of no training: an import must never make a training look already done."""
    return f"import:{artifact.sha256}"
