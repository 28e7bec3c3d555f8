"""When a breaker opens, how long it stays so, and what it lets through to find out."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BreakerTerms:
    """A breaker opens on any of three signs; rates are of the calls in its window.

    failures            calls that failed one after the other
    failure_rate        part of the calls that failed
    slow_rate           part of the calls that took `slow_seconds` or longer, failed or not
    window_calls        the window: so many of the latest calls,
    window_seconds      and none that ended longer ago
    least_calls         fewer calls than this have no rate
    open_seconds        how long it stays open before it lets probes through
    probes              how many it lets through then; all must succeed, and be quick, to close it
    owned               whether each belongs to somebody: none is made without its owner
    """

    failures: int
    open_seconds: float
    probes: int = 1
    failure_rate: float = 0.5
    slow_rate: float = 0.8
    slow_seconds: float = 15.0
    window_calls: int = 20
    window_seconds: float = 600.0
    least_calls: int = 10
    owned: bool = False
