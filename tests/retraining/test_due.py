"""What is due, held against the policy's own words spelt out naively."""

import datetime as dt
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from services.training.jobs.schemas import TrainingRequest
from services.training.retraining.accuracy import Accuracy
from services.training.retraining.due import Due, Reason, Standing, due_of, plan_of
from services.training.retraining.policy import Policy, Window

NOW = dt.datetime(2026, 5, 1, 3, tzinfo=dt.UTC)
ASKED = TrainingRequest(horizon_days=14).model_dump(
    mode="json", exclude={"products", "locations", "priority", "execution_mode", "force"}
)
BAD = Accuracy(days=20, wql=0.5, bar=0.2, coverage80=0.3, worse=True, missed=True)
GOOD = replace(BAD, worse=False, missed=False)

policies = st.builds(
    Policy,
    new_rows=st.none() | st.integers(1, 60),
    max_age_days=st.none() | st.integers(1, 60),
    on_degraded_accuracy=st.booleans(),
    on_corrected_data=st.booleans(),
    cooldown_hours=st.integers(0, 100),
)
ages = st.integers(0, 100 * 24).map(lambda hours: NOW - dt.timedelta(hours=hours))
standings = st.builds(
    Standing,
    series_id=st.just(7),
    trained_at=ages,
    asked=st.just(ASKED),
    new_days=st.integers(0, 80),
    corrected_days=st.integers(0, 2),
    known_days=st.just(100),
    to_be_judged=st.booleans(),
    retrained_at=st.none() | ages,
)


def naive(standing: Standing, policy: Policy, accuracy: Accuracy | None) -> set[Reason]:
    if standing.retrained_at is not None:
        hours_ago = (NOW - standing.retrained_at).total_seconds() / 3600
        if hours_ago < policy.cooldown_hours:
            return set()
    found = set()
    if policy.new_rows is not None and standing.new_days >= policy.new_rows:
        found.add(Reason.NEW_ROWS)
    days = (NOW - standing.trained_at).total_seconds() / 86400
    if policy.max_age_days is not None and days >= policy.max_age_days and standing.new_days:
        found.add(Reason.MAX_AGE)
    if accuracy is not None and (accuracy.worse or accuracy.missed):
        found.add(Reason.DEGRADED)
    if policy.on_corrected_data and standing.corrected_days:
        found.add(Reason.CORRECTED)
    return found


@given(standings, policies, st.sampled_from([None, BAD, GOOD]))
def test_a_series_is_due_for_just_the_reasons_that_hold(
    standing: Standing, policy: Policy, accuracy: Accuracy | None
) -> None:
    due = due_of(standing, policy, accuracy, NOW)
    assert (set() if due is None else set(due.reasons)) == naive(standing, policy, accuracy)
    assert due is None or due.reasons


def due(series_id: int, *reasons: Reason, horizon: int = 14) -> Due:
    asked = {**ASKED, "horizon_days": horizon}
    standing = Standing(series_id, NOW, asked, 50, 0, 100, True, None)
    return Due(standing, reasons, 3.5, None)


def test_nothing_due_is_no_job() -> None:
    assert plan_of([], Policy()) is None


def test_one_job_asks_for_what_most_of_the_series_were_asked_for() -> None:
    others = [due(n, Reason.NEW_ROWS, horizon=28) for n in (4, 5)]
    alike = [due(n, Reason.NEW_ROWS, Reason.MAX_AGE) for n in (1, 2, 3)]
    plan = plan_of([*others, *alike], Policy())
    assert plan is not None
    assert [each.standing.series_id for each in plan.due] == [1, 2, 3]
    assert plan.request == TrainingRequest(horizon_days=14, priority="scheduled")
    assert plan.cause.model_dump() == {
        "kind": "retraining", "series": {"new_rows": 3, "max_age": 3},
    }  # fmt: skip


def test_the_window_of_the_policy_takes_the_place_of_the_last_one() -> None:
    kept = plan_of([due(1, Reason.MAX_AGE)], Policy())
    by_days = plan_of([due(1, Reason.MAX_AGE)], Policy(window=Window(days=400)))
    by_rows = plan_of([due(1, Reason.MAX_AGE)], Policy(window=Window(rows=200)))
    assert kept is not None and by_days is not None and by_rows is not None  # noqa: PT018 - one fact
    windows = [
        (plan.request.training_window_days, plan.request.training_window_rows)
        for plan in (kept, by_days, by_rows)
    ]
    assert windows == [(1095, None), (400, None), (1095, 200)]
