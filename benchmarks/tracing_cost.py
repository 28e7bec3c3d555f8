"""What spans cost a request: JSON.

    python -m benchmarks.tracing_cost [--requests 3000]

`GET /api/v1/locations` of two APIs on one database, in turns, one request after the other: `off`,
as it is without a collector, and `on`, with one that takes every span. Milliseconds at the client,
and those of all threads of the API's process. `span_ns`: what `with span(...)` takes where nobody
listens. A collector stands in for one, on the core of who asks.
"""

import argparse
import json
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median, quantiles
from timeit import timeit
from typing import Final

import httpx

import migrations
from benchmarks.pinned import ASKING, pin
from benchmarks.served_api import HOST, Served, made_tenant, serving
from benchmarks.service import client_of
from shared.postgres import EmbeddedPostgres
from shared.roles import MIGRATOR
from shared.tracing import span

WARM_UP: Final = 200
SAID: Final = 1_000_000


def run(requests: int) -> dict[str, object]:
    pin(ASKING, threading.get_native_id())
    with ExitStack() as held:
        folder = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="morrow-bench-")))
        folder.chmod(0o711)
        server = held.enter_context(EmbeddedPostgres().start(folder / "pg"))
        migrations.upgrade(server.url(MIGRATOR))
        collector = {"OTEL_EXPORTER_OTLP_ENDPOINT": held.enter_context(collecting())}
        served = {
            "off": held.enter_context(serving(server, folder)),
            "on": held.enter_context(serving(server, folder, collector)),
        }
        key = made_tenant(served["off"], 1).key
        clients = {
            name: held.enter_context(client_of(api.address, key)) for name, api in served.items()
        }
        for client in clients.values():
            asked(client, WARM_UP)
        told = measured(served, clients, requests)
        sent = served["on"].counted("morrow_spans_sent_total")
    ratios = {f"{figure}_ratio": told["on"][figure] / told["off"][figure] for figure in told["on"]}
    return {**told, **ratios, "spans_sent": sent, "span_ns": 1e9 * silent_span()}


def measured(
    served: dict[str, Served], clients: dict[str, httpx.Client], requests: int
) -> dict[str, dict[str, float]]:
    before = {name: processor_ms(api.pid) for name, api in served.items()}
    took: dict[str, list[float]] = {name: [] for name in served}
    for _ in range(requests):
        for name, client in clients.items():
            took[name] += asked(client, 1)
    used = {name: processor_ms(api.pid) - before[name] for name, api in served.items()}
    return {
        name: {
            "p50_ms": median(times),
            "p99_ms": quantiles(times, n=100)[98],
            "processor_ms": used[name] / requests,
        }
        for name, times in took.items()
    }


def asked(client: httpx.Client, requests: int) -> list[float]:
    took = []
    for _ in range(requests):
        began = time.perf_counter()
        client.get("/locations").raise_for_status()
        took.append(1000 * (time.perf_counter() - began))
    return took


def processor_ms(pid: int) -> float:
    """Of all threads that live."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e6


def silent_span() -> float:
    def say() -> None:
        with span("a"):
            pass

    return timeit(say, number=SAID) / SAID


@contextmanager
def collecting() -> Iterator[str]:
    """The address of what takes spans, and does nothing with them."""

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer((HOST, 0), Taking)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=3000)
    print(json.dumps(run(parser.parse_args().requests), indent=2))


if __name__ == "__main__":
    main()
