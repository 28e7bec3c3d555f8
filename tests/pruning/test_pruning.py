"""What is kept no longer goes, and nothing that is in use."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from services.training.pruning.artifacts import sweep_artifacts
from services.training.pruning.sweeps import sweeps_of
from services.training.pruning.terms import Terms
from services.training.pruning.turn import PRUNING, prune_tenant
from services.training.queue.periodic import Turn
from services.training.queue.pruner import Measure, prune
from services.training.queue.task import OPEN, State
from shared.artifacts import open_store
from tests.conftest import Database
from tests.pruning.made_past import Past, ago, make_past
from tests.queue.real_queue import Queue, open_queue

TERMS = Terms(
    runs=timedelta(days=9),
    events=timedelta(days=3),
    trials=timedelta(days=9),
    orphans=timedelta(1),
    order_lines=timedelta(days=10),
    weather=timedelta(days=20),
    traffic=timedelta(days=30),
)
DAYS = st.sampled_from([0.0, 2.0, 4.0, 8.0, 10.0, 20.0])
STATES = st.lists(st.sampled_from([state.value for state in State]), max_size=3)
JOBS = st.lists(st.tuples(st.none() | DAYS, STATES), max_size=5)
USES = ("model", "dataset", "open task", "ended task", "pools of an open task", "kept pools")
ARTIFACTS = st.lists(st.tuples(st.sampled_from([*USES, "nobody"]), DAYS), max_size=8)
REAL = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
async def queue(database: Database) -> AsyncIterator[Queue]:
    async with open_queue(database) as opened:
        yield opened


@pytest.fixture
async def past(database: Database, queue: Queue, tmp_path: Path) -> AsyncIterator[Past]:
    made = await make_past(database, queue, tmp_path)
    yield made
    await made.connection.close()


async def rows_pruned(queue: Queue, past: Past, measure: Measure | None = None) -> dict[str, int]:
    return await prune(queue.sessions, past.tenant_id, sweeps_of(TERMS), measure or Measure())


@given(jobs=JOBS, batch=st.integers(1, 7))
@example(jobs=[(20.0, [state.value]) for state in State], batch=3)
@REAL
async def test_jobs_go_with_all_that_stands_on_them_and_open_ones_stay_whole(
    database: Database,
    queue: Queue,
    tmp_path: Path,
    jobs: list[tuple[float | None, list[str]]],
    batch: int,
) -> None:
    past = await make_past(database, queue, tmp_path)
    kept: dict[UUID, int] = {}
    logs = set()
    for ended, states in jobs:
        job_id = await past.job(ended_days_ago=ended, states=states)
        in_use = ended is None or any(State(state) in OPEN for state in states)
        if in_use or ended < 9:  # type: ignore[operator]
            kept[job_id] = len(states)
        if ended is None or ended < 3:
            logs.add(job_id)
    await rows_pruned(queue, past, Measure(batch, 1000))
    assert await past.ids("jobs") == kept.keys()
    assert await past.ids("retrainings", "job_id") == kept.keys()
    assert await past.ids("stream_tickets", "job_id") == kept.keys()
    assert await past.count("tasks") == sum(kept.values())
    assert await past.count("job_events") == 3 * len(logs)
    assert await past.ids("job_events", "job_id") == logs
    await past.connection.close()


@given(artifacts=ARTIFACTS)
@REAL
async def test_no_artifact_goes_that_is_named_or_was_put_lately(
    database: Database, queue: Queue, tmp_path: Path, artifacts: list[tuple[str, float]]
) -> None:
    past = await make_past(database, queue, tmp_path)
    expected = set()
    for number, (use, days_old) in enumerate(artifacts):
        sha256 = past.artifact(f"{use} {number}", days_old)
        await name(past, use, sha256, number)
        if days_old < 1 or use not in {"nobody", "ended task"}:
            expected.add(sha256)
    gone = await sweep_artifacts(
        queue.sessions, open_store(tmp_path), past.tenant_id, TERMS.orphans
    )
    assert past.artifacts() == expected
    assert gone == len(artifacts) - len(expected)
    await past.connection.close()


async def name(past: Past, use: str, sha256: str, number: int) -> None:
    match use:
        case "model":
            await past.model(number, sha256, None)
        case "dataset":
            await past.model(number, "a" * 64, sha256)
        case "open task" | "ended task":
            job_id = await past.job(ended_days_ago=None, states=[])
            state = "held" if use == "open task" else "succeeded"
            await past.task(job_id, state, json.dumps({"dataset": sha256}))
        case "pools of an open task":
            job_id = await past.job(ended_days_ago=None, states=[])
            await past.task(job_id, "running", json.dumps({"pools": sha256}))
        case "kept pools":
            await past.kept_pools(sha256)


async def test_no_more_artifacts_go_than_a_turn_may_take(past: Past, queue: Queue) -> None:
    for number in range(7):
        past.artifact(str(number), days_old=5)
    store = open_store(past.root)
    swept: list[int] = [
        await sweep_artifacts(queue.sessions, store, past.tenant_id, TERMS.orphans, most=3)
        for _ in range(4)
    ]
    assert swept == [3, 3, 1, 0]


async def test_old_trials_go_of_models_that_play_no_part(past: Past, queue: Queue) -> None:
    plays = await past.model(1, "a" * 64, None, days_old=20)
    old = await past.model(2, "b" * 64, None, days_old=20)
    young = await past.model(3, "c" * 64, None, days_old=2)
    await past.insert("model_aliases", series_id=past.series, alias="champion", model_id=plays)
    assert (await rows_pruned(queue, past))["trials"] == 1
    assert (await rows_pruned(queue, past))["trials"] == 0
    query = "SELECT id, detail FROM models WHERE tenant_id = $1"
    rows = await past.connection.fetch(query, past.tenant_id)
    details: dict[UUID, Any] = {row["id"]: json.loads(row["detail"]) for row in rows}
    assert details[old] == {"trials": [], "fold_scores": [1]}
    assert details[plays] == details[young] == {"trials": [{"number": 0}], "fold_scores": [1]}


async def test_tickets_and_answers_go_once_they_hold_no_longer(past: Past, queue: Queue) -> None:
    job_id = await past.job(ended_days_ago=None, states=[])
    await past.insert("stream_tickets", digest=b"x", job_id=job_id, expires_at=ago(0.001))
    for key, days_old in (("old", 1.1), ("young", 0.9)):
        await past.insert(
            "idempotent_answers", key=key, request_digest=b"d", created_at=ago(days_old)
        )
    gone = await rows_pruned(queue, past)
    assert (gone["tickets"], gone["answers"]) == (1, 1)
    assert await past.ids("idempotent_answers", "key") == {"young"}
    assert await past.ids("stream_tickets", "digest") == {job_id.bytes}


async def test_weather_and_traffic_go_each_by_its_own_term(past: Past, queue: Queue) -> None:
    days = {days_old: ago(days_old).date() for days_old in (-3, 0, 19, 21, 29, 31)}
    for day in days.values():
        for lead in (0, 1):
            of_cell = {"cell": "54.3,10.1", "lead": lead, "known_at": ago(0)}
            await past.insert("weather_days", date=day, **of_cell)
        await past.insert("traffic_days", location="main", date=day, level=1.0, known_at=ago(0))
    gone = await rows_pruned(queue, past, Measure(batch=2))
    assert (gone["weather_days"], gone["traffic_days"]) == (6, 1)
    assert await past.ids("weather_days", "date") == {days[-3], days[0], days[19]}
    assert await past.ids("traffic_days", "date") == set(days.values()) - {days[31]}


async def test_another_tenants_past_is_left_alone(
    database: Database, queue: Queue, tmp_path: Path, past: Past
) -> None:
    other = await make_past(database, queue, tmp_path)
    await other.job(ended_days_ago=100, states=["succeeded"])
    traffic = {"date": ago(100).date(), "level": 1.0, "known_at": ago(100)}
    await other.insert("traffic_days", location="main", **traffic)
    other.artifact("nobody's", days_old=100)
    turn = Turn(past.tenant_id, PRUNING, 0, "w1", timedelta(hours=1))
    await prune_tenant(queue.sessions, open_store(tmp_path), TERMS, turn)
    assert (await other.count("jobs"), len(other.artifacts())) == (1, 1)
    assert await other.count("traffic_days") == 1
    assert await past.count("periodic_runs", "number = 1 AND (outcome ->> 'runs') = '0'") == 1
    await other.connection.close()


async def test_a_row_that_somebody_holds_is_passed_over(
    database: Database, queue: Queue, past: Past
) -> None:
    held, free = [await past.job(ended_days_ago=20, states=[]) for _ in range(2)]
    async with past.connection.transaction():
        await past.connection.execute("SELECT 1 FROM jobs WHERE id = $1 FOR UPDATE", held)
        sweep = next(each for each in sweeps_of(TERMS) if each.name == "runs")
        await prune(queue.sessions, past.tenant_id, [sweep], Measure())
    assert await past.ids("jobs") == {held}
    assert free != held
