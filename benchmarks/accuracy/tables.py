"""The report as tables for people."""

from __future__ import annotations

from typing import Final

from rich.box import SIMPLE_HEAD
from rich.table import Table

from benchmarks.accuracy.report import Json

_COVERAGE: Final = "coverage80_by_demand_class"


def data_set_table(report: Json) -> Table:
    """A row for each data set and method; `±` is a standard error over its series."""
    table = _table("data set", "method", "WQL", "±", "to best", "best", "WAPE", "±", "to best")
    for heading in ("bias", "cov80", "CPU s"):
        table.add_column(heading, no_wrap=True)
    for name in report["data_sets"]:
        for method, found in report["methods"].items():
            if name in found["by_data_set"]:
                table.add_row(name, method, *_data_set_cells(found["by_data_set"][name]))
    return table


def summary_table(report: Json) -> Table:
    """A row for each method and metric: geometric means over the sets, and the worst of them."""
    table = _table("method", "metric", "to best peer", "±", "worst set")
    for heading in ("to Prophet", "to weekday mean", "worst"):
        table.add_column(heading)
    for method, found in report["methods"].items():
        for metric, means in found["geometric_means"].items():
            table.add_row(method, metric, *_summary_cells(means))
    return table


def coverage_table(report: Json) -> Table:
    """A row for each method: coverage of the 80 % band by demand class, and its cost."""
    methods = report["methods"]
    classes = sorted({name for found in methods.values() for name in found[_COVERAGE]})
    table = _table("method", *classes, "CPU s a series and origin")
    for method, found in methods.items():
        shares = [found[_COVERAGE].get(name, {}).get("cov80") for name in classes]
        table.add_row(method, *map(_cell, shares), _cell(found["cpu_seconds_per_series_origin"]))
    return table


def _table(*headings: str) -> Table:
    return Table(*headings, box=SIMPLE_HEAD, pad_edge=False)


def _data_set_cells(found: Json) -> list[str]:
    best = found["to_best_single_peer"]
    wql = [_cell(found["WQL"]), _cell(found["WQL_standard_error"]), _cell(best["WQL"])]
    wape = [_cell(found["WAPE"]), _cell(found["WAPE_standard_error"]), _cell(best["WAPE"])]
    rest = [_cell(found[name]) for name in ("bias", "cov80", "cpu_seconds")]
    return [*wql, found["best_single_peer"]["WQL"], *wape, *rest]


def _summary_cells(means: Json) -> list[str]:
    return [
        _cell(means["to_best_single_peer"]),
        _cell(means["relative_standard_error"]),
        f"{_cell(means['largest_to_best_single_peer'])} {means['worst_to_best_single_peer']}",
        _cell(means["to_default_prophet"]),
        _cell(means["to_same_weekday_mean"]),
        _cell(means["largest_to_same_weekday_mean"]),
    ]


def _cell(figure: float | None) -> str:
    return "" if figure is None else f"{figure:.3f}"
