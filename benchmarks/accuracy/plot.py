"""The report as a picture: each method's loss to the best single peer's, by data set."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.accuracy.report import Json

METRICS: Final = ("WQL", "WAPE")
_ROW_INCHES: Final = 0.45
_SPREAD: Final = 0.5
"""Of a data set's row: what the methods' marks share."""


def draw(report: Json, path: Path) -> None:
    """Writes the picture as the file's ending says: .svg, .png or .pdf.

    One mark a method and data set with its standard error, left of the line where it beats the
    best single peer; below them the geometric mean over the data sets.
    """
    names = report["data_sets"]
    height = 1.6 + _ROW_INCHES * (len(names) + 1)
    figure = Figure(figsize=(11, height), layout="constrained")
    for axes, metric in zip(figure.subplots(1, len(METRICS), sharey=True), METRICS, strict=True):
        _draw_metric(axes, report, metric)
    axes.legend(fontsize="small")
    figure.savefig(path)


def _draw_metric(axes: Axes, report: Json, metric: str) -> None:
    names = report["data_sets"]
    count = len(report["methods"])
    for position, (method, found) in enumerate(report["methods"].items()):
        shift = _SPREAD * ((position + 0.5) / count - 0.5)
        ratios, errors = _ratios(found, names, metric)
        rows = [row + shift for row in range(len(ratios))]
        axes.errorbar(ratios, rows, xerr=errors, fmt="o", markersize=4, capsize=2, label=method)
    axes.axvline(1.0, color="black", linewidth=0.8)
    axes.axhline(len(names) - 0.5, color="grey", linewidth=0.5)
    axes.set_yticks(range(len(names) + 1), [*names, "geometric mean"])
    axes.set_ylim(len(names) + 0.5, -0.5)
    axes.set_xlabel(f"{metric} to the best single peer")
    axes.grid(axis="x", alpha=0.3)


def _ratios(found: Json, names: list[str], metric: str) -> tuple[list[float], list[float]]:
    """Of each data set and of all; NaN where the method was not run or has no error."""
    ratios, errors = [], []
    for name in names:
        own = found["by_data_set"].get(name)
        ratio = _number(own and own["to_best_single_peer"][metric])
        score, error = _number(own and own[metric]), own and own[f"{metric}_standard_error"]
        ratios.append(ratio)
        errors.append(ratio * _number(error) / score)
    means = found["geometric_means"][metric]
    ratio = _number(means["to_best_single_peer"])
    share = _number(means["relative_standard_error"])
    return [*ratios, ratio], [*errors, ratio * share]


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)
