"""Which series are due to be trained again, and why."""

import datetime as dt
import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from services.training.jobs.schemas import Cause, PriorityName, TrainingRequest
from services.training.retraining.accuracy import Accuracy
from services.training.retraining.policy import RETRAINING, Policy


class Reason(StrEnum):
    NEW_ROWS = "new_rows"
    MAX_AGE = "max_age"
    DEGRADED = "accuracy_degraded"
    CORRECTED = "data_corrected"


@dataclass(frozen=True, slots=True)
class Standing:
    """What has come of a series since its last training, which was `asked` for this;
    `to_be_judged`: days came since its accuracy was last looked at."""

    series_id: int
    trained_at: dt.datetime
    asked: Mapping[str, Any]
    new_days: int
    corrected_days: int
    known_days: int
    to_be_judged: bool
    retrained_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Due:
    """A series, and every reason there is to train it again."""

    standing: Standing
    reasons: tuple[Reason, ...]
    age_days: float
    accuracy: Accuracy | None

    def cause(self) -> dict[str, object]:
        """As the job and the model's lineage keep it."""
        told: dict[str, object] = {
            "kind": RETRAINING,
            "reasons": [reason.value for reason in self.reasons],
            "new_rows": self.standing.new_days,
            "corrected_rows": self.standing.corrected_days,
            "age_days": round(self.age_days, 2),
        }
        return told if self.accuracy is None else told | {"accuracy": asdict(self.accuracy)}


@dataclass(frozen=True, slots=True)
class Plan:
    """One job: what to ask for, and which series it is about."""

    request: TrainingRequest
    due: tuple[Due, ...]

    @property
    def cause(self) -> Cause:
        counts = Counter(reason.value for due in self.due for reason in due.reasons)
        return Cause(kind="retraining", series=dict(sorted(counts.items())))


def is_rested(standing: Standing, policy: Policy, now: dt.datetime) -> bool:
    """Whether the series' last retraining, however it ended, is long enough ago."""
    return standing.retrained_at is None or now - standing.retrained_at >= policy.cooldown


def due_of(
    standing: Standing, policy: Policy, accuracy: Accuracy | None, now: dt.datetime
) -> Due | None:
    """The series with the reasons that the policy knows; None where there is none."""
    age = now - standing.trained_at
    old = policy.max_age_days is not None and age >= dt.timedelta(days=policy.max_age_days)
    holds = {
        Reason.CORRECTED: policy.on_corrected_data and standing.corrected_days > 0,
        Reason.DEGRADED: accuracy is not None and accuracy.degraded,
        Reason.NEW_ROWS: policy.new_rows is not None and standing.new_days >= policy.new_rows,
        Reason.MAX_AGE: old and standing.new_days > 0,
    }
    reasons = tuple(reason for reason, held in holds.items() if held)
    if not reasons or not is_rested(standing, policy, now):
        return None
    return Due(standing, reasons, age / dt.timedelta(days=1), accuracy)


def plan_of(due: Sequence[Due], policy: Policy) -> Plan | None:
    """One job for the series that were asked for alike last time; where some were asked for
    otherwise, for the most of them: the others are due again when this one has ended."""
    if not due:
        return None
    alike: defaultdict[str, list[Due]] = defaultdict(list)
    for each in due:
        alike[json.dumps(each.standing.asked, sort_keys=True)].append(each)
    most = max(alike.values(), key=len)
    asked = TrainingRequest.model_validate(
        {**most[0].standing.asked, "priority": PriorityName.SCHEDULED}
    )
    return Plan(policy.windowed(asked), tuple(most))
