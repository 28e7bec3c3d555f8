"""How long a million rows take to load, beside a plain COPY of the same rows: JSON with medians.

    python -m benchmarks.load_speed [--rows 1000000] [--rounds 3]

Quantities of the data set `store_item_demand` where it is there, else from a seed; 1,000 days a
series. On a private PostgreSQL that syncs, emptied and checkpointed before every measurement:

plain_copy     COPY of the rows as CSV into a copy of the table without an index, as superuser
database_step  `store_sales` of the checked rows: role morrow_api, row-level security, index
post_csv       the whole of POST /api/v1/sales with the rows as CSV, over HTTP
post_parquet   the same as Parquet
read_days      the rows of one series, as the forecast reads them; read_series: with its frame
"""

import argparse
import asyncio
import io
import json
import statistics
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from uuid import UUID

import asyncpg
import httpx
import numpy as np
import pandas as pd
import uvicorn

import migrations
from benchmarks.real_data import DataSetAbsent, read_tenant
from services.training.app import create_app
from services.training.sales.assemble import Window
from services.training.sales.media import reader_for
from services.training.sales.sales_rows import SalesRows, check_sales
from services.training.sales.snapshot import list_series, read_series
from services.training.sales.store import store_sales
from services.training.sales.stored_days import read_stored_days
from services.training.settings import Settings
from shared.database import PoolLimits, Sessions, make_engine, make_sessions, tenant_transaction
from shared.postgres import EmbeddedPostgres, RunningPostgres
from shared.roles import API, MIGRATOR

ROWS = 1_000_000
ROUNDS = 3
READS = 50
DAYS = 1_000
OPERATOR_KEY = "operator-key-of-quick-brown-foxes"
TABLES = "sales, sale_corrections, series, products, regressor_days"
LARGEST_RATIO = 3.0
LONGEST_READ_MS = 50.0


@dataclass(frozen=True, slots=True)
class Load:
    """The same rows in every form that is measured."""

    source: str
    csv: bytes
    parquet: bytes
    checked: SalesRows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    print(json.dumps(run(options.rows, options.rounds), indent=2))


def run(rows: int = ROWS, rounds: int = ROUNDS) -> dict[str, object]:
    """Every figure, measured on a server of its own."""
    load = make_load(rows)
    with tempfile.TemporaryDirectory(prefix="morrow-bench-") as folder:
        Path(folder).chmod(0o711)
        with EmbeddedPostgres().start(Path(folder) / "pg") as server:
            migrations.upgrade(server.url(MIGRATOR))
            with serving(server, Path(folder)) as address:
                return asyncio.run(measure(server, address, load, rounds))


def make_load(rows: int) -> Load:
    source, quantity = quantities(rows)
    number = np.arange(rows)
    days = pd.date_range("2022-01-01", periods=DAYS).strftime("%Y-%m-%d").to_numpy()
    frame = pd.DataFrame(
        {
            "date": days[number % DAYS],
            "product": np.array([f"product {at:04}" for at in range(rows // DAYS + 1)])[
                number // DAYS
            ],
            "quantity": quantity,
        }
    )
    csv = frame.to_csv(index=False).encode()
    checked = check_sales(reader_for("text/csv")(csv), date(2026, 1, 1))
    return Load(source, csv, frame.to_parquet(index=False), checked)


def quantities(rows: int) -> tuple[str, np.ndarray]:
    try:
        real = read_tenant("store_item_demand").sales["quantity"].to_numpy(dtype=np.float64)
    except DataSetAbsent:
        return "made from a seed", np.random.default_rng(2026).poisson(50, rows).astype(float)
    return "store_item_demand", np.resize(real, rows)


@contextmanager
def serving(server: RunningPostgres, folder: Path) -> Iterator[str]:
    """The API on a loopback port, in a thread."""
    settings = Settings(
        database_url=server.url(API),
        operator_key=OPERATOR_KEY,
        model_storage_path=str(folder / "models"),
    )
    api = uvicorn.Server(uvicorn.Config(create_app(settings), port=0, log_level="warning"))
    thread = threading.Thread(target=api.run)
    thread.start()
    while not api.started:
        time.sleep(0.05)
    port = api.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        api.should_exit = True
        thread.join()


async def measure(
    server: RunningPostgres, address: str, load: Load, rounds: int
) -> dict[str, object]:
    engine = make_engine(server.url(API), API, PoolLimits(), "benchmark")
    admin = await asyncpg.connect(server.url())
    sessions = make_sessions(engine)
    tenant_id, key = await make_tenant(address)
    await admin.execute("CREATE TABLE plain_sales (LIKE sales INCLUDING DEFAULTS)")
    plain = plain_csv(load.checked, tenant_id)
    works: dict[str, Callable[[], Awaitable[None]]] = {
        "plain_copy": lambda: copy_plainly(admin, plain),
        "database_step": lambda: store(sessions, tenant_id, load.checked),
        "post_csv": lambda: post(address, key, "text/csv", load.csv),
        "post_parquet": lambda: post(address, key, "application/x-parquet", load.parquet),
    }
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            await admin.execute(f"TRUNCATE plain_sales, {TABLES} CASCADE")
            await admin.execute("CHECKPOINT")
            seconds[name].append(await timed(work))
    reads = await measure_reads(sessions, tenant_id)
    await admin.close()
    await engine.dispose()
    return report(load, seconds, reads)


async def make_tenant(address: str) -> tuple[UUID, str]:
    body = {"name": "Benchmark", "country": "DE", "timezone": "Europe/Berlin", "plan": "unlimited"}
    headers = {"Authorization": f"Bearer {OPERATOR_KEY}"}
    async with httpx.AsyncClient(base_url=address, headers=headers) as client:
        answer = await client.post("/api/v1/tenants", json=body)
    made = answer.raise_for_status().json()
    return UUID(made["tenant"]["id"]), made["api_key"]


def plain_csv(rows: SalesRows, tenant_id: UUID) -> bytes:
    """The rows as they will stand in the table, with series ids of the same size."""
    frame = pd.DataFrame(
        {
            "tenant_id": str(tenant_id),
            "series_id": rows.keys.place + 1,
            "date": rows.keys.day.astype("datetime64[D]").astype(str),
            "quantity": rows.quantity,
        }
    )
    return frame.to_csv(index=False, header=False).encode()


async def copy_plainly(admin: "asyncpg.Connection[asyncpg.Record]", rows: bytes) -> None:
    columns = ["tenant_id", "series_id", "date", "quantity"]
    await admin.copy_to_table("plain_sales", source=io.BytesIO(rows), columns=columns, format="csv")


async def store(sessions: Sessions, tenant_id: UUID, rows: SalesRows) -> None:
    async with tenant_transaction(sessions, tenant_id) as session:
        receipt = await store_sales(session, rows, None)
    assert receipt.inserted == rows.received, receipt


async def post(address: str, key: str, media_type: str, body: bytes) -> None:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": media_type}
    async with httpx.AsyncClient(base_url=address, headers=headers, timeout=600) as client:
        answer = await client.post("/api/v1/sales", content=body)
    receipt = answer.raise_for_status().json()
    assert receipt["inserted"] == receipt["received"], receipt


async def measure_reads(sessions: Sessions, tenant_id: UUID) -> dict[str, list[float]]:
    """Another series each time; the sales are those of the last load."""
    seconds: dict[str, list[float]] = {"read_days": [], "read_series": []}
    async with tenant_transaction(sessions, tenant_id) as session:
        keys = (await list_series(session))[:READS]
    for key in keys:
        async with tenant_transaction(sessions, tenant_id) as session:
            days = partial(read_stored_days, session, [key.id])
            series = partial(read_series, session, [key], horizon_days=28, window=Window(DAYS))
            seconds["read_days"].append(await timed(days))
            seconds["read_series"].append(await timed(series))
    return seconds


async def timed(work: Callable[[], Awaitable[object]]) -> float:
    begun = time.perf_counter()
    await work()
    return time.perf_counter() - begun


def report(
    load: Load, seconds: dict[str, list[float]], reads: dict[str, list[float]]
) -> dict[str, object]:
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    ratios = {name: medians[name] / medians["plain_copy"] for name in medians}
    milliseconds = {name: 1000 * statistics.median(values) for name, values in reads.items()}
    return {
        "benchmark": "load_speed",
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "quantities": load.source,
        "rows": load.checked.received,
        "csv_bytes": len(load.csv),
        "seconds": {name: [round(value, 3) for value in found] for name, found in seconds.items()},
        "median_seconds": {name: round(value, 3) for name, value in medians.items()},
        "times_plain_copy": {name: round(value, 2) for name, value in ratios.items()},
        "read_1000_days_ms": {name: round(value, 2) for name, value in milliseconds.items()},
        "kept": {
            "database_step_within_3x": ratios["database_step"] <= LARGEST_RATIO,
            "post_csv_within_3x": ratios["post_csv"] <= LARGEST_RATIO,
            "read_within_50_ms": milliseconds["read_series"] <= LONGEST_READ_MS,
        },
    }


if __name__ == "__main__":
    main()
