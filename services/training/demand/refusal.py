"""Why a series is not trained."""

from __future__ import annotations

from services.training.demand.backtest import FoldPlan
from services.training.demand.calendar import UnknownRegionError, require_region
from services.training.demand.config import TrainingConfig
from services.training.demand.findings import Severity, Subject
from services.training.demand.outcome import Refused
from services.training.demand.quality import Limits, inspect_history
from services.training.demand.series import Series


def refusal_of(series: Series, config: TrainingConfig, folds: FoldPlan) -> Refused | None:
    """The gravest reason against training, None where there is none."""
    limits = Limits(config.min_training_days, intermittent_allowed=True)
    subject = Subject(series.product, series.location)
    for finding in inspect_history(subject, series.history, limits):
        if finding.severity is Severity.REFUSAL:
            return Refused(finding.code.value, f"{finding.message}; {finding.fix}")
    refused = unplannable(series)
    if refused is not None:
        return refused
    if not folds.contest:
        return Refused(
            "nothing_to_judge",
            f"none of the last {len(series.history)} days is open, known and not sold out after "
            "a cut-off with enough known days before it; send more recent sales",
        )
    return None


def unplannable(series: Series) -> Refused | None:
    """Why no family could forecast the plan of the series, whatever its history."""
    if series.plan.empty:
        return Refused("nothing_planned", "the plan holds no day: give the days to forecast")
    try:
        require_region(series.country, series.subdivision)
    except UnknownRegionError as error:
        return Refused("unknown_region", str(error))
    return None
