"""Alerts and dashboards ask for what there is, and whoever is woken finds what to do."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from infrastructure.observability.catalogue import Metric, read_catalogue
from infrastructure.observability.dashboards import DASHBOARDS
from infrastructure.observability.operator import RULES as FILES
from services.training.queue.task import Priority
from services.training.settings import Settings
from tests.observability.queries import faults_of, matched_values, summed

SEEN_BY_SEVERAL = {
    *("morrow_breakers_open", "morrow_queue_tasks", "morrow_queue_oldest_seconds"),
}
ROOT = Path(__file__).parents[2]
ALERTS = [ROOT / "infrastructure/observability" / name for name in FILES]
SCENARIOS = Path(__file__).with_name("scenarios.yaml")
FETCHED = ALERTS[0].with_name(".promtool")
PROMTOOL = shutil.which("promtool") or shutil.which("promtool", path=FETCHED)
with_promtool = pytest.mark.skipif(
    PROMTOOL is None, reason="neither on PATH nor fetched: make promtool"
)
RUNBOOK = (ROOT / "docs/runbook.md").read_text()
KUBERNETES = tuple(
    Metric(f"kube_cronjob_{name}", "gauge", ("cronjob", "namespace"), "", "kube-state-metrics")
    for name in ("created", "spec_suspend", "status_last_successful_time")
)
METRICS = (*read_catalogue(), *KUBERNETES)
RULES: list[dict[str, Any]] = [
    rule
    for path in ALERTS
    for group in yaml.safe_load(path.read_text())["groups"]
    for rule in group["rules"]
]
QUERIES = {rule["alert"]: rule["expr"] for rule in RULES} | {
    f"{dashboard.name}: {panel.title} {place}": line.query.replace("$__rate_interval", "5m")
    for dashboard in DASHBOARDS
    for panel in dashboard.panels
    for place, line in enumerate(panel.lines)
}


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_asks_for_metrics_and_labels_that_there_are(name: str) -> None:
    assert faults_of(QUERIES[name], METRICS) == []


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ("sum(morrow_claim_second_bucket)", "no metric has the sample morrow_claim_second_bucket"),
        ("rate(morrow_claim_seconds[5m])", "no metric has the sample morrow_claim_seconds"),
        ("morrow_leases_lost", "no metric has the sample morrow_leases_lost"),
        ('morrow_queue_tasks{clas="x"}', "morrow_queue_tasks has no label clas"),
        (
            "sum by (tenant) (rate(morrow_tasks_ended_total[5m]))",
            "morrow_tasks_ended_total has no label tenant",
        ),
        ("1 > bool (up == 1)", "no metric has the sample up"),
        ("absent(absent(gone))", "no metric has the sample gone"),
        ("-gone", "no metric has the sample gone"),
        ("max_over_time(gone[1h:5m])", "no metric has the sample gone"),
        ("topk(3, gone)", "no metric has the sample gone"),
    ],
)
def test_a_query_for_what_there_is_not_is_found(query: str, fault: str) -> None:
    assert faults_of(query, METRICS) == [fault]


@pytest.mark.parametrize("query", ["sum by (", "rate(morrow_leads)", "morrow_leads >"])
def test_a_query_that_cannot_be_read_is_found(query: str) -> None:
    [fault] = faults_of(query, METRICS)
    assert fault.startswith("cannot be read: ")


@pytest.mark.parametrize("name", QUERIES)
def test_a_value_that_is_compared_with_is_one_that_the_code_tells(name: str) -> None:
    known = {("class", priority.name.lower()) for priority in Priority}
    known |= {("role", "api"), ("role", "worker"), ("le", "0.0"), ("method", "GET")}
    known |= {("cronjob", "backup"), ("cronjob", "restore-check"), ("namespace", "morrow")}
    code = "".join(path.read_text() for path in ROOT.glob("services/**/*.py"))
    unknown = [
        (label, value)
        for label, value in matched_values(QUERIES[name]) - known
        if f'"{value}"' not in code
    ]
    assert unknown == []


@pytest.mark.parametrize("name", QUERIES)
def test_what_several_processes_tell_of_one_thing_is_not_added_up(name: str) -> None:
    assert not summed(QUERIES[name]) & SEEN_BY_SEVERAL


def test_what_is_added_up_is_found() -> None:
    assert summed("sum by (kind) (morrow_breakers_open) > max(other)") == {"morrow_breakers_open"}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_every_alert_says_whom_it_wakes_and_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["runbook"] == f"docs/runbook.md#{rule['alert'].lower()}"
    [entry] = re.findall(rf"^## {rule['alert']}\n\n(.+?)(?=^## |\Z)", RUNBOOK, re.M | re.S)
    assert entry.count("\n- ") >= 1, "it says nothing to do"


def test_the_runbook_has_no_entry_of_an_alert_that_is_no_more() -> None:
    entries = re.findall(r"^## (\w+)$", RUNBOOK, re.M)
    assert sorted(entries) == sorted(rule["alert"] for rule in RULES)
    links = set(re.findall(r"\]\(#(\w+)\)", RUNBOOK))
    assert links <= {entry.lower() for entry in entries}


def test_what_the_runbook_names_is_there() -> None:
    settings = {f"MORROW_{name.upper()}" for name in Settings.model_fields}
    assert set(re.findall(r"MORROW_[A-Z_]+", RUNBOOK)) <= settings
    code = "".join(
        path.read_text() for top in ("services", "shared") for path in ROOT.glob(f"{top}/**/*.py")
    )
    said = re.findall(r"`([a-z]+(?:_[a-z]+)+)` in the|Look for `(\w+)`", RUNBOOK)
    events = {name for pair in said for name in pair if name} - {"morrow_leads"}
    assert len(events) >= 5
    assert [name for name in sorted(events) if f'"{name}"' not in code] == []
    panels = {panel.title for dashboard in DASHBOARDS for panel in dashboard.panels}
    assert set(re.findall(r"[Pp]anels? \"([^\"]+)\"", RUNBOOK)) <= panels


def promtool(*arguments: str | Path) -> None:
    assert PROMTOOL is not None
    told = subprocess.run([PROMTOOL, *arguments], capture_output=True, text=True)
    assert told.returncode == 0, told.stdout + told.stderr


@with_promtool
def test_prometheus_itself_takes_the_rules() -> None:
    promtool("check", "rules", "--lint=all", "--lint-fatal", *ALERTS)


@with_promtool
def test_each_alert_fires_of_its_fault_and_none_while_all_is_well() -> None:
    promtool("test", "rules", SCENARIOS)


def test_every_alert_has_a_scenario() -> None:
    told = set(re.findall(r'alertname="(\w+)"', SCENARIOS.read_text()))
    assert told == {rule["alert"] for rule in RULES}
