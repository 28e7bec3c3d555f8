"""The client through which a process calls upstreams, and the terms of its breakers."""

from services.training.settings import Settings
from shared.breaker import Breakers, BreakerTerms
from shared.upstream.client import CallTerms, UpstreamClient


def open_upstreams(settings: Settings) -> UpstreamClient:
    """To be used as `async with`, once a process."""
    return UpstreamClient(call_terms(settings), Breakers(breaker_terms(settings)))


def call_terms(settings: Settings) -> CallTerms:
    """How long a call may take, and how much may come of it."""
    return CallTerms(
        connect_seconds=settings.http_connect_seconds,
        read_seconds=settings.http_read_seconds,
        write_seconds=settings.http_write_seconds,
        pool_seconds=settings.http_pool_seconds,
        total_seconds=settings.collect_timeout_seconds,
        most_bytes=settings.http_max_bytes,
        connections=settings.http_connections,
        allow_private=settings.allow_private_upstreams,
    )


def breaker_terms(settings: Settings) -> dict[str, BreakerTerms]:
    """By the kind of breaker. Sales are always some tenant's own."""
    probes = settings.breaker_probes
    return {
        "sales": BreakerTerms(
            settings.breaker_sales_failures,
            settings.breaker_sales_open_seconds,
            probes,
            owned=True,
        ),
        "weather": BreakerTerms(
            settings.breaker_weather_failures, settings.breaker_weather_open_seconds, probes
        ),
        "traffic": BreakerTerms(
            settings.breaker_traffic_failures, settings.breaker_traffic_open_seconds, probes
        ),
    }
