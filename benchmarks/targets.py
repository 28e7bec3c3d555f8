"""What the engine is meant to reach, held against what was measured.

`python -m benchmarks.targets < bench.json` prints what `python -m benchmarks > bench.json` found as
a table in Markdown.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rich.table import Table

Json = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Target:
    """A figure of a benchmark's JSON, by its path, and the limits it is to keep."""

    what: str
    path: tuple[str, ...]
    least: float | None = None
    most: float | None = None

    @property
    def limit(self) -> str:
        if self.least is not None and self.most is not None:
            return f"{self.least:g} to {self.most:g}"
        return f">= {self.least:g}" if self.least is not None else f"<= {self.most:g}"

    def is_met(self, figure: float) -> bool:
        low = self.least is None or figure >= self.least
        return low and (self.most is None or figure <= self.most)


@dataclass(frozen=True, slots=True)
class Verdict:
    """`measured` and `met` are None where the benchmark did not run, or skipped this."""

    what: str
    limit: str
    measured: float | None
    met: bool | None


SPEED: Final = (
    Target("search, fit and forecast: times faster than Prophet with Optuna",
           ("search_speed", "times_faster"), least=100),
    Target("an additive fit: times faster than Stan",
           ("fit_speed", "additive", "times_faster_than_stan", "arrays"), least=100),
    Target("a multiplicative fit: times faster than Stan",
           ("fit_speed", "multiplicative", "times_faster_than_stan", "arrays"), least=30),
    Target("the whole search: times faster than one fit of AutoETS, made product",
           ("autoets_speed", "times_faster", "made from a seed"), least=1),
    Target("the same, median of the products",
           ("autoets_speed", "times_faster_median"), least=1),
    Target("the same, the product where it is least",
           ("autoets_speed", "times_faster_least"), least=1),
    Target("peak RSS of a training child, MiB",
           ("child_memory", "peak_rss"), most=200),
    Target("PSS that a further child adds, MiB",
           ("child_memory", "further_child_pss"), most=80),
    Target("processor time a product, 1,000 products to 50",
           ("job_scale", "large_to_small", "cpu"), most=1.1),
    Target("wall time a product, 1,000 products to 50",
           ("job_scale", "large_to_small", "wall"), most=1.1),
    Target("a claim with 100,000 tasks queued, p99, ms",
           ("claim_speed", "fresh", "p99_ms"), most=2),
    Target("the same after a million have ended: times as long",
           ("claim_speed", "aged_to_fresh", "p99"), most=2),
    Target("cold start of a worker until its first fit, s",
           ("cold_start", "median_s", "first_fit"), most=5),
    Target("a cancelled job: its children have stopped, 95 in 100, s",
           ("cancel_speed", "cancelled_s", "stopped", "p95"), most=0.5),
    Target("a cancelled job: nothing of it is left, longest, s",
           ("cancel_speed", "cancelled_s", "cleared", "most"), most=2),
    Target("the children of a lost lock have stopped, 95 in 100, s",
           ("cancel_speed", "lock_lost_s", "p95"), most=1),
    Target("a dead worker's task is taken over, longest, s",
           ("cancel_speed", "takeover_s", "most"), most=30),
    Target("an open circuit breaker answers, p99, ms",
           ("breaker_speed", "open", "one_by_one", "p99_ms"), most=5),
    Target("a job while the weather answers 503: times as long",
           ("outage_cost", "weather", "status", "wall_to_well"), most=1.3),
    Target("the same: times as many calls at its supplier",
           ("outage_cost", "weather", "status", "calls_to_well"), most=1.1),
    Target("a job beside three that wait for a hanging supplier: times as long",
           ("outage_cost", "tenants", "times_slower"), most=1.5),
    Target("the wall between tenants, 2 M sales, the question it costs most: times as long",
           ("wall_cost", "largest", "ratio"), most=1.2),
    Target("1,000 sockets on 100 jobs, 100 events/s: from commit to receipt, p99, ms",
           ("stream_load", "spread", "p99_ms"), most=20),
    Target("the same: memory of the API a socket, kB",
           ("stream_load", "spread", "kb_end"), most=60),
    Target("1,000 sockets on one job, 5 events/s: from commit to receipt, p99, ms",
           ("stream_load", "one", "p99_ms"), most=250),
    Target("events that a reader did not hear once and in order, all scenes",
           ("stream_load", "lost_or_astray"), most=0),
    Target("100 jobs, 5 in 100 never read: p99 of the others, times as long",
           ("stream_load", "p99_slow_to_well", "spread"), most=1.5),
    Target("one job, 5 in 100 never read: p99 of the others, times as long",
           ("stream_load", "p99_slow_to_well", "one"), most=1.5),
    Target("a training job watched by 1,000 sockets: times as long",
           ("watched_cost", "wall_ratio"), most=1.03),
    Target("from a fit's end in its child to a socket, p99, ms",
           ("progress_lag", "lag_ms", "p99"), most=100),
    Target("a job that a socket's client cancels: its fits have stopped, 95 in 100, s",
           ("progress_lag", "cancelled_s", "stopped", "p95"), most=1),
    Target("what a job tells to be left, at half of its time: error as a share of that",
           ("eta_error", "french_bakery", "at", "0.5", "error"), most=0.25),
    Target("the same at nine tenths",
           ("eta_error", "french_bakery", "at", "0.9", "error"), most=0.10),
)  # fmt: skip


def accuracy_targets(method: str) -> Iterator[Target]:
    """Those of one method over all data sets."""
    of_method = ("accuracy", "methods", method)
    for metric in ("WQL", "WAPE"):
        means = (*of_method, "geometric_means", metric)
        name = f"{metric} of {method}"
        yield Target(f"{name} to the best single peer", (*means, "to_best_single_peer"), most=0.96)
        yield Target(f"{name} to default Prophet", (*means, "to_default_prophet"), most=0.82)
        worst = (*means, "largest_to_best_single_peer")
        yield Target(f"{name} to the best single peer, worst set", worst, most=1.03)
        naive = (*means, "largest_to_same_weekday_mean")
        yield Target(f"{name} to the same-weekday mean, worst set", naive, most=1.0)
    for demand in ("smooth", "erratic", "intermittent", "lumpy"):
        path = (*of_method, "coverage80_by_demand_class", demand, "cov80")
        yield Target(f"coverage of the 80 % band of {method}, {demand}", path, 0.76, 0.84)
    cost = (*of_method, "cpu_seconds_per_series_origin")
    yield Target(f"processor seconds of {method} a series and origin", cost, most=0.5)


TARGETS: Final = (*SPEED, *accuracy_targets("engine"))


def verdicts(results: Json) -> list[Verdict]:
    """On every target, from the JSON of the benchmarks by name."""
    return [_verdict(target, _figure(results, target.path)) for target in TARGETS]


def table_of(found: Sequence[Verdict]) -> Table:
    table = Table("target", "limit", "measured", "")
    marks = {True: "[green]met[/]", False: "[red]missed[/]", None: "[dim]not measured[/]"}
    for one in found:
        measured = "" if one.measured is None else f"{one.measured:g}"
        table.add_row(one.what, one.limit, measured, marks[one.met])
    return table


def markdown_of(found: Sequence[Verdict]) -> str:
    """The table for a document."""
    rows = ["| target | limit | measured | |", "|---|---|---|---|"]
    for one in found:
        measured = "" if one.measured is None else f"{one.measured:g}"
        rows.append(f"| {one.what} | {one.limit} | {measured} | {_WORDS[one.met]} |")
    return "\n".join(rows)


_WORDS: Final = {True: "met", False: "**missed**", None: "not measured"}


def _verdict(target: Target, figure: float | None) -> Verdict:
    met = None if figure is None else target.is_met(figure)
    return Verdict(target.what, target.limit, figure, met)


def _figure(results: Json, path: tuple[str, ...]) -> float | None:
    here: object = results
    for name in path:
        if not isinstance(here, Mapping) or name not in here:
            return None
        here = here[name]
    return float(here) if isinstance(here, int | float) else None


if __name__ == "__main__":
    print(markdown_of(verdicts(json.load(sys.stdin))))
