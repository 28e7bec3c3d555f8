"""What processes ask for while nothing is to be done, and the connections they keep."""

import asyncio
import time
from typing import Final

import asyncpg

from benchmarks.processes import cpu_seconds, memory_of
from benchmarks.scaling.measuring.bill import Bill
from benchmarks.scaling.measuring.figure import Figure
from benchmarks.scaling.measuring.stage import Stage, working

SETTLING_SECONDS: Final = 5.0
OPEN: Final = """
SELECT count(*) FILTER (WHERE usename = 'morrow_api') AS api,
  count(*) FILTER (WHERE usename = 'morrow_worker') AS worker
FROM pg_stat_activity WHERE backend_type = 'client backend'
"""


def idle_costs(stage: Stage, seconds: float) -> dict[str, Figure]:
    """The API alone, then with one worker and with two: the second does not lead."""
    found: dict[str, Figure] = {}
    asyncio.run(_settle(stage))
    nothing = _empty(stage, seconds)
    before = _idle(stage, nothing, seconds)
    own = cpu_seconds(stage.served.pid)
    found |= _told("api", before, seconds, "an API process alone")
    with working(stage, [1]):
        one = _idle(stage, nothing, seconds)
        with working(stage, [1]) as [second]:
            two = _idle(stage, nothing, seconds)
            main = memory_of(second).pss
            spent = cpu_seconds(second)
            time.sleep(seconds)
            spent = (cpu_seconds(second) - spent) / seconds
            opened = asyncio.run(_open(stage))
    own = (cpu_seconds(stage.served.pid) - own) / (4 * seconds)
    found |= _told("leader", one - before, seconds, "the first worker, which leads")
    found |= _told("worker", two - one, seconds, "a second worker, which does not lead")
    how = "pg_stat_activity, idle; the API with two workers"
    return found | {
        "api_idle_cpu_ms_per_s": Figure(1000 * own, "ms a second", 1, "its own, about"),
        "worker_idle_cpu_ms_per_s": Figure(1000 * spent, "ms a second", 1, "its own"),
        "worker_mb": Figure(main * 1.048576, "MB", 1, "its main process, PSS, without children"),
        "api_connections": Figure(opened["api"], "connections", 1, how),
        "worker_connections": Figure(opened["worker"] / 2, "connections", 2, how),
    }


async def _settle(stage: Stage) -> None:
    """What earlier work left to vacuum is done before."""
    connection = await asyncpg.connect(stage.server.url())
    await connection.execute("VACUUM ANALYZE")
    await connection.close()


def _empty(stage: Stage, seconds: float) -> Bill:
    """Reading the till twice."""
    return stage.till.bill(lambda: None)


def _idle(stage: Stage, nothing: Bill, seconds: float) -> Bill:
    time.sleep(SETTLING_SECONDS)
    return stage.till.bill(lambda: time.sleep(seconds)) - nothing


def _told(name: str, bill: Bill, seconds: float, how: str) -> dict[str, Figure]:
    a_second, of = bill.times(1 / seconds), round(seconds)
    return {
        f"{name}_idle_db_ms_per_s": Figure(1000 * a_second.cpu_seconds, "ms a second", of, how),
        f"{name}_idle_wal_bytes_per_s": Figure(a_second.wal_bytes, "bytes a second", of, how),
        f"{name}_idle_statements_per_s": Figure(a_second.statements, "a second", of, how),
    }


async def _open(stage: Stage) -> dict[str, int]:
    connection = await asyncpg.connect(stage.server.url())
    found = await connection.fetchrow(OPEN)
    await connection.close()
    assert found is not None
    return dict(found)
