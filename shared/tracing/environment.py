"""Whether spans are sent, by OpenTelemetry's own variables, all of which its SDK reads itself."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final
from urllib.parse import unquote, urlsplit

from shared.tracing.spans import heard_by
from shared.tracing.telemetry import REASONS, SPANS_DROPPED

ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
PROTOCOLS: Final = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
HEADERS: Final = ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS")
FLUSH_SECONDS: Final = 3.0
SPOKEN: Final = "http/protobuf"


class TracingRefused(Exception):
    """The environment names a collector that spans cannot be sent to."""


@contextmanager
def tracing(service: str, version: str, environ: Mapping[str, str]) -> Iterator[None]:
    """Spans are sent meanwhile, if the environment names where to; those that wait in the end are
    given `FLUSH_SECONDS`. Raises TracingRefused."""
    if not is_wanted(environ):
        yield
        return
    from shared.tracing.collected import collected  # only who sends spans pays for it

    for reason in REASONS:  # from 0, so that the first loss is seen to be one
        SPANS_DROPPED.labels(reason)
    with heard_by(collected(service, version, FLUSH_SECONDS)):
        yield


def is_wanted(environ: Mapping[str, str]) -> bool:
    """Raises TracingRefused where it cannot be had."""
    endpoint = _first(environ, ENDPOINTS)
    disabled = environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    if not endpoint or disabled or environ.get("OTEL_TRACES_EXPORTER", "").strip() == "none":
        return False
    parts = urlsplit(endpoint)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        name = next(name for name in ENDPOINTS if environ.get(name, "").strip())
        raise TracingRefused(f"{name} is no address such as http://collector:4318")
    spoken = _first(environ, PROTOCOLS)
    if spoken not in {"", SPOKEN}:
        raise TracingRefused(f"spans are sent by {SPOKEN}, and not by {spoken!r}")
    return True


def header_secrets(environ: Mapping[str, str]) -> list[str]:
    """What the headers that go to the collector hold, for whoever cuts secrets out."""
    pairs = [pair for name in HEADERS for pair in environ.get(name, "").split(",")]
    values = [pair.partition("=")[2].strip() for pair in pairs]
    return [said for value in values if value for said in {value, unquote(value)}]


def _first(environ: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((found for name in names if (found := environ.get(name, "").strip())), "")
