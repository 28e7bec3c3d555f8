"""A collector on loopback that takes spans by OTLP over HTTP, as a real one does."""

import gzip
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from tests.tracing.listening import listening


@dataclass(frozen=True)
class Told:
    """A span, as it came."""

    service: str
    name: str
    kind: int
    trace: str
    id: str
    parent: str
    began: int
    ended: int
    failed: bool
    attributes: dict[str, Any]
    links: tuple[str, ...]


@dataclass
class Collector:
    """What was sent so far; `status` is what it answers from now on."""

    spans: list[Told] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    status: int = 200
    port: int = 0
    hangs: threading.Event = field(default_factory=threading.Event)

    @property
    def environment(self) -> dict[str, str]:
        """Of a process that is to send here, and soon."""
        return {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{self.port}",
            "OTEL_BSP_SCHEDULE_DELAY": "100",
        }

    def named(self, name: str) -> list[Told]:
        return [span for span in self.spans if span.name == name]

    def within(self, span: Told) -> list[Told]:
        """Its children, in the order in which they began."""
        inner = [each for each in self.spans if each.parent == span.id]
        return sorted(inner, key=lambda each: each.began)

    def take(self, body: bytes) -> None:
        self.raw.append(body)
        request = ExportTraceServiceRequest.FromString(body)
        for resource in request.resource_spans:
            known = _attributes(resource.resource.attributes)
            for scope in resource.scope_spans:
                self.spans += [_told(span, known["service.name"]) for span in scope.spans]


@contextmanager
def collecting() -> Iterator[Collector]:
    collector = Collector()

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            collector.headers.append(dict(self.headers))
            while collector.hangs.is_set():
                time.sleep(0.01)
            if collector.status == 200 and self.path == "/v1/traces":
                zipped = self.headers.get("Content-Encoding") == "gzip"
                collector.take(gzip.decompress(body) if zipped else body)
            self.send_response(collector.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with listening(Taking) as collector.port:
        yield collector


def _told(span: Any, service: str) -> Told:
    return Told(
        service=service,
        name=span.name,
        kind=span.kind,
        trace=span.trace_id.hex(),
        id=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        began=span.start_time_unix_nano,
        ended=span.end_time_unix_nano,
        failed=span.status.code == 2,
        attributes=_attributes(span.attributes),
        links=tuple(f"{link.trace_id.hex()}-{link.span_id.hex()}" for link in span.links),
    )


def _attributes(pairs: Any) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: AnyValue) -> Any:
    return getattr(value, value.WhichOneof("value"))
