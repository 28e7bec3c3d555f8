"""One job, from its request to its model, by a real API and a real worker that send their spans to
a collector: what the collector, the suppliers and the logs were told of it."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.client import connect

from tests.conftest import Database
from tests.jobs.asking import sales_rows
from tests.processes import Programs, programs_on
from tests.tracing.collector import Collector, Told, collecting
from tests.tracing.listening import listening

PATIENCE_SECONDS = 60.0
PRODUCT = "Canary-Crumble"
FIGURE = 23.40625
CREDENTIALS = "canary-of-the-credentials"
SENT_WITH_SPANS = "canary-of-the-collector"
CALLERS = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"


@dataclass
class Supplier:
    """Has nothing to say to anybody, and keeps what it was asked with."""

    port: int = 0
    headers: list[dict[str, str]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@dataclass
class Story:
    """What was told; nothing more comes."""

    collector: Collector
    weather: Supplier
    till: Supplier
    job_id: str
    tenant_key: str
    said: dict[str, list[dict[str, Any]]]

    @property
    def root(self) -> Told:
        [request] = self.collector.named("POST /training-jobs")
        return request

    @property
    def spans(self) -> list[Told]:
        """Of the job's trace."""
        return [span for span in self.collector.spans if span.trace == self.root.trace]

    def path(self, span: Told) -> str:
        """The names from the root down to it."""
        by_id = {each.id: each for each in self.spans}
        above = by_id.get(span.parent)
        return span.name if above is None else f"{self.path(above)} > {span.name}"


@asynccontextmanager
async def told_story(database: Database, folder: Path) -> AsyncIterator[Story]:
    with collecting() as collector, supplying() as weather, supplying() as till:
        settings = {
            **collector.environment,
            "OTEL_BSP_SCHEDULE_DELAY": "60000",  # so what came was sent when the process ended
            "OTEL_EXPORTER_OTLP_HEADERS": f"authorization=Bearer%20{SENT_WITH_SPANS}",
            "FASTAPI_OTEL_AUTO_CONFIGURE": "true",  # it would tell paths and queries
            "MORROW_LOG_LEVEL": "debug",
            "MORROW_STALE_SALES_DAYS": "100000",
            "MORROW_ALLOW_PRIVATE_UPSTREAMS": "true",
            **{
                f"MORROW_OPEN_METEO_{name}_URL": weather.url
                for name in ("ARCHIVE", "FORECAST", "PREVIOUS_RUNS")
            },
        }
        with programs_on(database, folder, **settings) as programs:
            api, worker = programs.serve(), programs.work()
            async with await programs.tenant() as tenant:
                key = tenant.headers["authorization"].removeprefix("Bearer ")
                job_id = await _train(programs, tenant, till)
            for program in (api, worker):
                program.send(signal.SIGTERM)
                program.ended()
            said = {"api": _lines(api.said()), "worker": _lines(worker.said())}
        yield Story(collector, weather, till, job_id, key, said)


async def _train(programs: Programs, tenant: httpx.AsyncClient, till: Supplier) -> str:
    rows = sales_rows(PRODUCT, days=140)
    rows[0] |= {"quantity": FIGURE}
    assert (await tenant.post("/sales", json={"rows": rows})).status_code == 200
    mine = {"kind": "http", "base_url": f"{till.url}/", "credentials": CREDENTIALS}
    assert (await tenant.put("/sources/sales", json=mine)).status_code == 200
    weather = await tenant.put("/sources/weather", json={"kind": "open-meteo"})
    assert weather.status_code == 200, weather.text
    wanted = {"families": ["prophet"], "max_trials": 1, "horizon_days": 7}
    asked = await tenant.post("/training-jobs", json=wanted, headers={"traceparent": CALLERS})
    job_id: str = asked.json()["id"]
    await asyncio.gather(_watch(programs, tenant, job_id), _listen(tenant, job_id))
    return job_id


async def _watch(programs: Programs, tenant: httpx.AsyncClient, job_id: str) -> None:
    """To its end, by a WebSocket."""
    where = programs.address.replace("http", "ws")
    headers = {"Authorization": tenant.headers["authorization"]}
    url = f"{where}/api/v1/training-jobs/{job_id}/ws"
    async with asyncio.timeout(PATIENCE_SECONDS), connect(url, additional_headers=headers) as open:
        async for _ in open:
            pass


async def _listen(tenant: httpx.AsyncClient, job_id: str) -> None:
    """To its end, by server-sent events."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        accept = {"Accept": "text/event-stream"}
        path = f"/training-jobs/{job_id}/events"
        async with tenant.stream("GET", path, headers=accept) as stream:
            async for line in stream.aiter_lines():
                if "job.finished" in line:
                    return


@contextmanager
def supplying():  # type: ignore[no-untyped-def]
    supplier = Supplier()

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            supplier.headers.append({name.lower(): value for name, value in self.headers.items()})
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with listening(Answering) as supplier.port:
        yield supplier


def _lines(said: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in said.splitlines() if line.startswith("{")]
