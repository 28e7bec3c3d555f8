"""The benchmark's figures: each set's, and geometric means over sets against the peers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.accuracy.measure import Result
from benchmarks.accuracy.methods import OURS, published_name
from benchmarks.accuracy.published import DEFAULT_PROPHET, SAME_WEEKDAY_MEAN, Published

Json = dict[str, Any]
_METRICS = {"WQL": "wql", "WAPE": "wape"}


def report_of(results: Sequence[Result], published: Published) -> Json:
    """By method: the figures of each data set and the summary over the sets."""
    by_method: dict[str, list[Result]] = {}
    for result in results:
        by_method.setdefault(result.method, []).append(result)
    methods = {name: _method(own, published) for name, own in by_method.items()}
    for name, own in by_method.items():
        if name in OURS and (found := _to_peers_run(own, results)):
            methods[name]["to_best_single_peer_of_this_run"] = found
    return {
        "data_sets": sorted({result.data_set for result in results}),
        "methods": methods,
    }


def _method(results: Sequence[Result], published: Published) -> Json:
    return {
        "by_data_set": {result.data_set: _data_set(result, published) for result in results},
        "geometric_means": {
            metric: _means(results, published, metric, field) for metric, field in _METRICS.items()
        },
        "coverage80_by_demand_class": _coverage(results),
        "cpu_seconds_per_series_origin": _rounded(
            sum(result.cpu_seconds for result in results) / len(results)
        ),
    }


def _data_set(result: Result, published: Published) -> Json:
    scores, name = result.scores, result.data_set
    best = {metric: published.best_single(name, metric) for metric in _METRICS}
    figures: Json = {
        "series": result.series,
        "WAPE": _rounded(scores.wape),
        "WAPE_standard_error": _rounded(scores.wape_error),
        "WQL": _rounded(scores.wql),
        "WQL_standard_error": _rounded(scores.wql_error),
        "MASE": _rounded(scores.mase),
        "bias": _rounded(scores.bias),
        "cov80": _rounded(scores.coverage80),
        "width80": _rounded(scores.width80),
        "cpu_seconds": _rounded(result.cpu_seconds),
        "best_single_peer": {metric: found[0] for metric, found in best.items()},
        "to_best_single_peer": {
            metric: _rounded(getattr(scores, field) / best[metric][1])
            for metric, field in _METRICS.items()
        },
    }
    repeated = published_name(result.method)
    if repeated is not None:
        figures["to_published"] = {
            metric: _rounded(getattr(scores, field) / published.value(name, repeated, metric))
            for metric, field in _METRICS.items()
        }
    return figures


def _means(results: Sequence[Result], published: Published, metric: str, field: str) -> Json:
    def against(reference: Callable[[str], float]) -> list[float]:
        return [getattr(r.scores, field) / reference(r.data_set) for r in results]

    best = against(lambda name: published.best_single(name, metric)[1])
    prophet = against(lambda name: published.value(name, DEFAULT_PROPHET, metric))
    naive = against(lambda name: published.value(name, SAME_WEEKDAY_MEAN, metric))
    return {
        "score": _rounded(_geometric(against(lambda _: 1.0))),
        "to_best_single_peer": _rounded(_geometric(best)),
        "largest_to_best_single_peer": _rounded(max(best)),
        "worst_to_best_single_peer": results[best.index(max(best))].data_set,
        "to_default_prophet": _rounded(_geometric(prophet)),
        "to_same_weekday_mean": _rounded(_geometric(naive)),
        "largest_to_same_weekday_mean": _rounded(max(naive)),
        "relative_standard_error": _rounded(_relative_error(results, field)),
    }


def _to_peers_run(own: Sequence[Result], results: Sequence[Result]) -> Json:
    """Geometric means against the best of the peers that were run beside; empty without any."""
    found: Json = {}
    for metric, field in _METRICS.items():
        best: dict[str, float] = {}
        for peer in results:
            if peer.method not in OURS:
                score = getattr(peer.scores, field)
                best[peer.data_set] = min(score, best.get(peer.data_set, math.inf))
        ratios = [getattr(r.scores, field) / best[r.data_set] for r in own if r.data_set in best]
        if ratios:
            mean, largest = _rounded(_geometric(ratios)), _rounded(max(ratios))
            found[metric] = {"mean": mean, "largest": largest, "data_sets": len(ratios)}
    return found


def _geometric(values: Sequence[float]) -> float:
    return math.exp(sum(map(math.log, values)) / len(values))


def _relative_error(results: Sequence[Result], field: str) -> float:
    """Of the geometric mean of scores, data sets taken as independent."""
    shares = [
        getattr(result.scores, f"{field}_error") / getattr(result.scores, field)
        for result in results
    ]
    return math.sqrt(sum(share**2 for share in shares)) / len(results)


def _coverage(results: Sequence[Result]) -> Json:
    """Share of days inside the band over all data sets, by class, with the number of days."""
    days: dict[str, int] = {}
    inside: dict[str, int] = {}
    for result in results:
        for name, (count, hits) in result.scores.inside_by_class.items():
            days[name] = days.get(name, 0) + count
            inside[name] = inside.get(name, 0) + hits
    return {
        name: {"cov80": _rounded(inside[name] / days[name]), "days": days[name]}
        for name in sorted(days)
    }


def _rounded(value: float) -> float | None:
    return round(value, 4) if math.isfinite(value) else None
