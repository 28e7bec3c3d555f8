"""What the environment says is what the client and its breakers go by."""

from pathlib import Path

from services.training.upstreams import breaker_terms, call_terms
from shared.breaker import BreakerTerms
from shared.upstream.client import CallTerms
from tests.conftest import settings_for

DSN = "postgresql://localhost/morrow"


def test_what_is_not_set_is_as_documented(tmp_path: Path) -> None:
    settings = settings_for(DSN, tmp_path)
    assert call_terms(settings) == CallTerms(
        connect_seconds=30,
        read_seconds=60,
        write_seconds=30,
        pool_seconds=30,
        total_seconds=120,
        most_bytes=16 * 2**20,
        connections=8,
        allow_private=False,
    )
    assert breaker_terms(settings) == {
        "sales": BreakerTerms(failures=5, open_seconds=60, probes=1, owned=True),
        "weather": BreakerTerms(failures=3, open_seconds=30, probes=1),
        "traffic": BreakerTerms(failures=3, open_seconds=30, probes=1),
    }


def test_what_is_set_arrives_where_it_is_meant(tmp_path: Path) -> None:
    seconds = {
        "http_connect_seconds": 1,
        "http_read_seconds": 2,
        "http_write_seconds": 3,
        "http_pool_seconds": 4,
        "collect_timeout_seconds": 5,
    }
    others = {"http_max_bytes": 6, "http_connections": 7, "allow_private_upstreams": True}
    terms = call_terms(settings_for(DSN, tmp_path, **seconds, **others))
    assert terms == CallTerms(1, 2, 3, 4, 5, CallTerms().pause_seconds, 6, 7, True)

    names = ("sales", "weather", "traffic")
    numbers = {f"breaker_{name}_failures": 10 + n for n, name in enumerate(names)}
    waits = {f"breaker_{name}_open_seconds": 20 + n for n, name in enumerate(names)}
    found = breaker_terms(settings_for(DSN, tmp_path, breaker_probes=9, **numbers, **waits))
    assert {name: (one.failures, one.open_seconds, one.probes) for name, one in found.items()} == {
        "sales": (10, 20, 9),
        "weather": (11, 21, 9),
        "traffic": (12, 22, 9),
    }
