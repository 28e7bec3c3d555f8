"""The client through which a process calls upstreams, and the terms of its breakers."""

from typing import Final

from services.training.settings import Settings
from shared.breaker import Breakers, BreakerTerms
from shared.upstream.client import CallTerms, UpstreamClient

BREAKERS: Final = {
    "sales": BreakerTerms(failures=5, open_seconds=60, owned=True),
    "weather": BreakerTerms(failures=3, open_seconds=30),
    "traffic": BreakerTerms(failures=3, open_seconds=30),
}


def open_upstreams(settings: Settings) -> UpstreamClient:
    """To be used as `async with`, once a process."""
    terms = CallTerms(allow_private=settings.allow_private_upstreams)
    return UpstreamClient(terms, Breakers(BREAKERS))
