"""What a row takes on the disk with its indexes, of the tables that grow."""

import asyncio
from typing import Final

import asyncpg

from benchmarks.scaling.measuring.figure import Figure
from shared.postgres import RunningPostgres

GROWING: Final = (
    *("sales", "tasks", "job_events", "models", "forecasts", "series"),
    *("usage", "audit_log", "jobs", "retrainings", "training_marks"),
)
FEW: Final = 50
"""Of fewer rows a table's pages say little."""


def sizes(server: RunningPostgres) -> dict[str, Figure]:
    return asyncio.run(_measure(server))


async def _measure(server: RunningPostgres) -> dict[str, Figure]:
    admin = await asyncpg.connect(server.url())
    found = {}
    for name in GROWING:
        await admin.execute(f"VACUUM FULL {name}")
        rows = await admin.fetchval(f"SELECT count(*) FROM {name}")  # noqa: S608 - names above
        taken = await admin.fetchval("SELECT pg_total_relation_size($1::text::regclass)", name)
        if rows >= FEW:
            how = "pg_total_relation_size after VACUUM FULL: rows, indexes, and what is out of line"
            found[f"{name}_row_bytes"] = Figure(taken / rows, "bytes", rows, how)
    await admin.close()
    return found
