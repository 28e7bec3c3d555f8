"""A job is one trace, from the request over its tasks to the stages of its child."""

import re
import struct
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from tests.conftest import OPERATOR_KEY, Database
from tests.served import database
from tests.tracing.story import (
    CALLERS,
    CREDENTIALS,
    FIGURE,
    PRODUCT,
    SENT_WITH_SPANS,
    Story,
    told_story,
)

__all__ = ["database"]

TOP = "POST /training-jobs"
PUT_IN = f"{TOP} > enqueue"
PREPARE, TRAIN = f"{PUT_IN} > task prepare", f"{PUT_IN} > task train"
STAGES = ("features", "search", "evaluate", "fit", "calibrate")
PAGE = Path(__file__).parents[2] / "docs/tracing.md"


@pytest.fixture(scope="module")
async def story(
    database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Story]:
    async with told_story(database, tmp_path_factory.mktemp("traced")) as told:
        yield told


def test_every_step_hangs_where_it_belongs(story: Story) -> None:
    ids = {span.id for span in story.spans}
    assert [span.name for span in story.spans if span.parent not in ids] == [TOP]
    assert {story.path(span) for span in story.spans} == {
        *(TOP, PUT_IN, f"{PUT_IN} > claim"),
        *(PREPARE, f"{PREPARE} > pull", f"{PREPARE} > enqueue"),
        *(f"{PREPARE} > pull > upstream {kind}" for kind in ("weather", "sales")),
        *(TRAIN, f"{TRAIN} > child", f"{TRAIN} > publish"),
        *(f"{TRAIN} > child > stage {stage}" for stage in STAGES),
    }
    services = {span.name: span.service for span in story.spans if span.name != "enqueue"}
    assert services.pop(TOP) == "morrow-api"
    assert set(services.values()) == {"morrow-worker"}


def test_what_is_within_a_step_is_within_its_time(story: Story) -> None:
    by_id = {span.id: span for span in story.spans}
    for span in story.spans:
        assert span.began <= span.ended
        above = by_id.get(span.parent)
        if above is None or span.name == "claim":  # one may be asked for before there is a task
            continue
        assert above.began <= span.began
        assert span.ended <= above.ended or span.name.startswith("task ")
    for run in (span for span in story.spans if span.name.startswith("task ")):
        [claim] = [
            span
            for span in story.collector.named("claim")
            if span.attributes["morrow.task.id"] == run.attributes["morrow.task.id"]
        ]
        assert claim.ended <= run.began


def test_stages_follow_one_another(story: Story) -> None:
    [child] = story.collector.named("child")
    stages = story.collector.within(child)
    assert [stage.name for stage in stages] == [f"stage {stage}" for stage in STAGES]
    assert [one.ended for one in stages[:-1]] == [other.began for other in stages[1:]]
    assert all(stage.ended > stage.began for stage in stages)


def test_who_asks_and_what_for_is_told_by_ids(story: Story) -> None:
    told = story.root.attributes
    assert (told["http.route"], told["http.response.status_code"]) == ("/training-jobs", 202)
    [train] = story.collector.named("task train")
    assert train.attributes["morrow.tenant_id"] == told["morrow.tenant_id"]
    assert train.attributes["morrow.group_id"] == story.job_id
    assert train.attributes["morrow.task.attempt"] == 1
    assert train.attributes["morrow.task.ended"] == "finished"


def test_a_callers_own_trace_is_linked_to_and_decides_nothing(story: Story) -> None:
    _, trace, span, _ = CALLERS.split("-")
    assert story.root.links == (f"{trace}-{span}",)
    assert story.root.parent == ""
    assert story.root.trace != trace


def test_a_stream_is_told_of_by_its_handshake(story: Story) -> None:
    [train] = story.collector.named("task train")
    for route in ("/training-jobs/{job_id}/ws", "/training-jobs/{job_id}/events"):
        assert f"GET {route}" in {each.name for each in story.collector.spans}
        [handshake] = story.collector.named(f"GET {route}")
        assert handshake.ended < train.ended
        assert handshake.attributes["http.response.status_code"] in {101, 200}
        assert "morrow.tenant_id" in handshake.attributes


def test_probes_are_no_traces(story: Story) -> None:
    assert not [span for span in story.collector.spans if "health" in span.name]


def test_only_suppliers_of_the_operators_choice_learn_of_the_trace(story: Story) -> None:
    assert story.weather.headers
    for headers in story.weather.headers:
        assert headers["traceparent"].split("-")[1] == story.root.trace
    assert story.till.headers
    assert not [name for headers in story.till.headers for name in headers if "trace" in name]


def test_a_failed_call_is_marked_by_its_kind_alone(story: Story) -> None:
    [call, *_] = story.collector.named("upstream sales")
    assert call.failed
    assert call.attributes["error.type"] == "UpstreamStatus"
    assert "server.address" not in call.attributes


def test_nothing_that_logs_may_not_say_is_sent(story: Story, database: Database) -> None:
    password = make_url(database.worker_dsn).password or ""
    sent = b"".join(story.collector.raw)
    assert story.job_id.encode() in sent
    secrets = (
        *(story.tenant_key, OPERATOR_KEY, CREDENTIALS, password, SENT_WITH_SPANS),
        *(PRODUCT, str(FIGURE), str(story.till.port), "postgresql://"),
    )
    assert [secret for secret in secrets if secret.encode() in sent] == []
    assert struct.pack("<d", FIGURE) not in sent


def test_the_page_lists_what_is_told(story: Story) -> None:
    told = {name for span in story.collector.spans for name in span.attributes}
    rows = re.findall(r"^\| `([a-z_.]+)` \|", PAGE.read_text(), re.M)
    assert sorted(told) == sorted(rows)


def test_the_collector_is_sent_its_own_credentials(story: Story) -> None:
    sent = {headers["authorization"] for headers in story.collector.headers}
    assert sent == {f"Bearer {SENT_WITH_SPANS}"}
    said = str(story.said)
    assert SENT_WITH_SPANS not in said


def test_a_line_of_the_log_names_its_trace(story: Story) -> None:
    [published] = [line for line in story.said["worker"] if line["event"] == "model_published"]
    [publish] = story.collector.named("publish")
    assert (published["trace_id"], published["span_id"]) == (publish.trace, publish.id)
