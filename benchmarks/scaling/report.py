"""Tables, for a terminal and for documents."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rich.table import Table

from benchmarks.scaling.ladder import Rung
from benchmarks.scaling.limits import LIMITS, MOST_TENANTS
from benchmarks.scaling.sensitivity import Swing

ROWS: Final = {
    "series": "series",
    "training slots, a core each": "slots",
    "worker processes": "workers",
    "API processes": "apis",
    "nightly job, p99, hours": "nightly_p99_hours",
    "wait of a job asked for, p95, s": "adhoc_wait_p95_s",
    "deepest queue, tasks": "deepest",
    "oldest task, s": "oldest_s",
    "database: cores at its busiest": "db_cores_peak",
    "database: cores to pay for": "db_cores_needed",
    "database: asked for most by": "db_hottest",
    "database: log, MB/s at its busiest": "wal_mb_peak",
    "database: commits/s at its busiest": "commits_peak",
    "database: connections": "connections",
    "database: disk, GB": "disk_gb",
    "the leader's time": "leader_share",
    "object store, GB": "objects_gb",
    "objects put a day": "puts_a_day",
    "nearest limit": "nearest_limit",
    "of it used": "nearest_used",
    "databases (cells)": "cells",
    "cost a month": "cost_month",
    "a tenant": "cost_tenant",
    "a series": "cost_series",
}


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table; the first row names its columns."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]

    def table(self) -> Table:
        table = Table(*self.heads, title=self.title)
        for row in self.rows:
            table.add_row(*row)
        return table

    def markdown(self) -> str:
        lines = [self.heads, ["---"] * len(self.heads), *self.rows]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def ladder_sheet(rungs: Sequence[Rung]) -> Sheet:
    rows = [[label, *(said(getattr(each, name)) for each in rungs)] for label, name in ROWS.items()]
    return Sheet("The ladder", ["tenants", *(f"{each.tenants:,}" for each in rungs)], rows)


def breaks_sheet(breaks: Mapping[str, int]) -> Sheet:
    """First what is used up first."""
    rows = [
        [limit.name, count(breaks[limit.name]), limit.sign, limit.then]
        for limit in sorted(LIMITS, key=lambda limit: breaks[limit.name])
    ]
    return Sheet("What breaks first", ["what", "tenants", "sign", "then"], rows)


def tornado_sheet(swings: Sequence[Swing]) -> Sheet:
    heads = ["input", "cost: halved", "cost: doubled", "tenants: halved", "tenants: doubled"]
    rows = [[f"`{s.name}`", *(f"{each:.2f}" for each in (*s.cost, *s.breaks))] for s in swings]
    return Sheet("What matters most: multiples of a series' cost, of the first break", heads, rows)


def count(tenants: int) -> str:
    return "never" if tenants >= MOST_TENANTS else said(float(tenants))


def said(value: object) -> str:
    if not isinstance(value, float):
        return f"{value:,}" if isinstance(value, int) else str(value)
    if value >= 1000:
        return f"{float(f'{value:.3g}'):,.0f}"
    return f"{value:.3g}"
