"""The main job over HTTP on real tenants: load, train every product, read every forecast.

`python -m benchmarks.main_job [SET ...]` runs `morrow up` in a directory of its own, and prints
JSON: seconds and states for each data set, at the service's default settings.
"""

import json
import statistics
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import httpx
from rich.console import Console
from rich.progress import track

from benchmarks.real_data import DataSetAbsent, TenantData, read_tenant
from benchmarks.service import checked, load, morrow_up, pages, tenant_client, train

SETS = ("kiel_bakery", "ddop_bakery", "french_bakery")
DEFAULTS: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one tenant's job. `states` counts `succeeded`, `paper`, and `refused:<code>` or
    `failed:<code>`; `levels` the rungs that answer the forecasts; seconds are wall seconds, but
    for `seconds_per_product`, which are those of a training in its child."""

    status: str
    series: int
    states: dict[str, int]
    levels: dict[str, int]
    load_seconds: float
    train_seconds: float
    forecast_seconds: float
    seconds_per_product: dict[str, float]
    unanswered: list[str]


def run(names: Sequence[str] = SETS, wanted: Mapping[str, Any] = DEFAULTS) -> dict[str, Any]:
    """The outcome for each data set by name, the totals, and what is not there."""
    tenants, skipped = tenants_at_hand(names)
    outcomes = {}
    if tenants:
        with morrow_up() as service:
            for name, tenant in track(tenants.items(), "Tenants", console=Console(stderr=True)):
                with tenant_client(service.address, service.operator_key, tenant) as client:
                    outcomes[name] = main_job(client, tenant, wanted)
    return {
        "sets": {name: asdict(outcome) for name, outcome in outcomes.items()},
        "total": total(list(outcomes.values())),
        "skipped": skipped,
    }


def tenants_at_hand(names: Sequence[str]) -> tuple[dict[str, TenantData], dict[str, str]]:
    """The data sets by name, and why the others are left out."""
    found, skipped = {}, {}
    for name in names:
        try:
            found[name] = read_tenant(name)
        except DataSetAbsent as absent:
            skipped[name] = str(absent)
    return found, skipped


def main_job(client: httpx.Client, tenant: TenantData, wanted: Mapping[str, Any]) -> Outcome:
    """Load the tenant's data, train all of it, and read every forecast."""
    began = time.perf_counter()
    load(client, tenant)
    loaded = time.perf_counter()
    job = train(client, wanted)
    trained = time.perf_counter()
    items = pages(client, f"/training-jobs/{job['id']}/products")
    levels = {label(item): level_of(client, item) for item in items}
    answered = time.perf_counter()
    return Outcome(
        status=job["status"],
        series=len(items),
        states=dict(Counter(map(state_of, items))),
        levels=dict(Counter(level for level in levels.values() if level is not None)),
        load_seconds=round(loaded - began, 2),
        train_seconds=round(trained - loaded, 2),
        forecast_seconds=round(answered - trained, 2),
        seconds_per_product=spread([item["seconds"] for item in items if item["seconds"]]),
        unanswered=[name for name, level in levels.items() if level is None],
    )


def level_of(client: httpx.Client, item: Mapping[str, Any]) -> str | None:
    """The rung that answers the forecast of a series; None where there is no forecast."""
    query = {"product": item["product"], "location": item["location"]}
    answer = client.get("/forecasts", params=query)
    if answer.status_code == 404:
        return None
    level: str = checked(answer)["level"]
    return level


def state_of(item: Mapping[str, Any]) -> str:
    if item["error"] is not None:
        return f"{item['state']}:{item['error']['code']}"
    return "paper" if item["stage"] == "paper" else str(item["state"])


def label(item: Mapping[str, Any]) -> str:
    return f"{item['product']} at {item['location']}"


def spread(seconds: Sequence[float]) -> dict[str, float]:
    if not seconds:
        return {}
    return {
        "median": round(statistics.median(seconds), 3),
        "mean": round(statistics.mean(seconds), 3),
        "most": round(max(seconds), 3),
    }


def total(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    states = Counter[str]()
    for outcome in outcomes:
        states.update(outcome.states)
    series = sum(outcome.series for outcome in outcomes)
    return {
        "series": series,
        "train_seconds": round(sum(outcome.train_seconds for outcome in outcomes), 2),
        "shares": {state: round(count / series, 4) for state, count in states.items()},
    }


if __name__ == "__main__":
    print(json.dumps(run(sys.argv[1:] or SETS), indent=2))
