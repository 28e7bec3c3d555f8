"""One list of metrics with names that are kept, made from the code."""

import re
from pathlib import Path

import pytest

from infrastructure.observability.catalogue import Metric, read_catalogue
from infrastructure.observability.files import files

ROOT = Path(__file__).parents[2]
LABELS = {
    *("application", "class", "code", "demand_class", "family", "how", "kind", "method", "reason"),
    *("role", "route", "status", "step", "to", "why", "work"),
}
"""All labels there are: none of them tells tenants, products, keys or hosts apart."""
NAMED_BY_THE_PRODUCT = {
    "morrow_queue_tasks",
    "morrow_queue_oldest_seconds",
    "morrow_claim_seconds",
    "morrow_training_seconds",
    "morrow_training_trials",
    "morrow_training_skill",
    "morrow_breakers_open",
    "morrow_db_connections_in_use",
    "morrow_lock_seconds",
    "morrow_artifact_checksum_failures",
    "morrow_stale_publishes",
    "morrow_stream_lag_seconds",
    "morrow_http_request_seconds",
}


@pytest.mark.parametrize("path", files(), ids=str)
def test_what_is_made_from_the_code_is_as_the_code_would_make_it(path: Path) -> None:
    assert (ROOT / path).read_text() == files()[path], "run python -m infrastructure.observability"


def test_no_dashboard_is_left_of_one_that_is_no_more() -> None:
    drawn = {path.name for path in files() if path.suffix == ".json"}
    kept = {path.name for path in (ROOT / "infrastructure/observability/dashboards").iterdir()}
    assert kept == drawn


def test_what_operators_need_most_is_there() -> None:
    assert {metric.name for metric in read_catalogue()} >= NAMED_BY_THE_PRODUCT


def test_every_name_is_one_metrics_and_says_whose_it_is() -> None:
    names = [metric.name for metric in read_catalogue()]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"morrow_[a-z_]+", name) for name in names)


def test_every_metric_that_any_line_of_code_names_is_in_the_list() -> None:
    told = re.compile(r"(?:Counter|Gauge|Histogram|Summary|Info|Enum)\(\s*\"(\w+)\"")
    code = [*ROOT.glob("services/**/*.py"), *ROOT.glob("shared/**/*.py")]
    named = {name for path in code for name in told.findall(path.read_text())}
    assert named == {
        metric.samples[0] if metric.kind == "counter" else metric.name
        for metric in read_catalogue()
    }


def test_no_label_tells_tenants_apart() -> None:
    assert {label for metric in read_catalogue() for label in metric.labels} == LABELS


def test_samples_are_named_as_a_scrape_names_them() -> None:
    assert Metric("a", "counter", (), "", "").samples == ("a_total",)
    assert Metric("a", "gauge", (), "", "").samples == ("a",)
    assert Metric("a", "histogram", (), "", "").samples == ("a_bucket", "a_sum", "a_count")
