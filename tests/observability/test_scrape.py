"""What a real API and a real worker tell whoever scrapes them."""

import asyncio
from collections.abc import Iterator
from math import inf
from pathlib import Path

import httpx
import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from infrastructure.observability.catalogue import read_catalogue
from services.training.queue.task import Priority
from services.training.settings import Settings
from tests.conftest import Database
from tests.observability.queries import matched_values, samples_of
from tests.observability.test_rules import KUBERNETES, QUERIES
from tests.processes import Programs, free_port, programs_on

PATIENCE_SECONDS = 60.0
Families = dict[str, Metric]


@pytest.fixture
def programs(database: Database, tmp_path: Path) -> Iterator[Programs]:
    with programs_on(database, tmp_path) as opened:
        yield opened


def families_of(port: int) -> Families:
    text = httpx.get(f"http://127.0.0.1:{port}/metrics").raise_for_status().text
    found = {family.name: family for family in text_string_to_metric_families(text)}
    began = {f"{name}_created" for name in found}  # when each of them began to count
    return {name: family for name, family in found.items() if name not in began}


async def until_it_leads(port: int) -> Families:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            families = families_of(port)
            if families["morrow_queue_tasks"].samples:
                return families
            await asyncio.sleep(0.05)


async def test_every_metric_is_told_by_the_api_or_a_worker(programs: Programs) -> None:
    api_port, worker_port = free_port(), free_port()
    programs.settings["MORROW_METRICS_PORT"] = str(api_port)
    programs.serve()
    programs.settings["MORROW_METRICS_PORT"] = str(worker_port)
    programs.work()
    async with await programs.tenant() as client:
        assert (await client.get("/models")).status_code == 200
    worker = await until_it_leads(worker_port)
    api = families_of(api_port)

    known = {metric.name: metric for metric in read_catalogue()}
    told_of = {name for name in api | worker if name.startswith("morrow_")}
    assert told_of == known.keys()
    for name, metric in known.items():
        told = (api if name in api else worker)[name]
        assert (told.type, told.documentation) == (metric.kind, metric.told)
    asked = {sample for query in QUERIES.values() for sample in samples_of(query)}
    ours = {sample for name in told_of for sample in known[name].samples}
    assert asked <= ours | {sample for metric in KUBERNETES for sample in metric.samples}

    _check_api(api)
    _check_worker(worker)
    _check_values([*api.values(), *worker.values()])


def _check_values(families: list[Metric]) -> None:
    """What labels that are always there are compared with is what they hold."""
    told = {pair for each in families for sample in each.samples for pair in sample.labels.items()}
    asked = {pair for query in QUERIES.values() for pair in matched_values(query)}
    always = {pair for pair in asked if pair[0] in {"role", "class", "method"}}
    assert {label for label, _ in always} == {"role", "class", "method"}
    assert always <= told


def _check_api(api: Families) -> None:
    routes = {s.labels.get("route") for s in api["morrow_http_request_seconds"].samples}
    assert "/models" in routes
    edges = {float(s.labels.get("le", 1)) for s in api["morrow_http_request_seconds"].samples}
    assert min(edges) <= 0.001
    assert max(edges - {inf}) >= Settings.model_fields["request_seconds"].default
    [most] = [
        sample.value
        for sample in api["morrow_db_connections_most"].samples
        if sample.labels == {"application": "morrow-api"}
    ]
    assert most == 30


def _check_worker(worker: Families) -> None:
    depths = {(s.labels["kind"], s.labels["class"]) for s in worker["morrow_queue_tasks"].samples}
    kinds = {"prepare", "release", "sync", "pool", "train"}
    assert depths == {(kind, each.name.lower()) for kind in kinds for each in Priority}
    slots = {s.labels["kind"]: s.value for s in worker["morrow_worker_slots"].samples}
    assert (slots.keys(), slots["train"]) == (kinds, 2)
    [leads] = worker["morrow_leads"].samples
    assert leads.value == 1
