"""Every method that the benchmark can run, by name."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.accuracy.default_prophet import default_prophet
from benchmarks.accuracy.naive import same_weekday_mean, seasonal_naive
from benchmarks.accuracy.ours import combined, engine, pooled, prophet
from benchmarks.accuracy.peers.methods import peer_methods
from benchmarks.accuracy.protocol import Method

METHODS: Mapping[str, Method] = {
    "snaive7": seasonal_naive,
    "dow4": same_weekday_mean,
    "default_prophet": default_prophet,
    **peer_methods(),
    "engine": engine,
    "prophet": prophet,
    "pooled": pooled,
    "combine": combined,
}
ALIKE: Mapping[str, str] = {"default_prophet": "prophet", "lightgbm": "lgbm_q"}
"""The name under which a method's like stands in the published scores, where it differs."""
OURS = ("engine", "prophet", "pooled", "combine")


def published_name(method: str) -> str | None:
    """The peer of the published scores that a method repeats; None for our own."""
    return None if method in OURS else ALIKE.get(method, method)
