"""What the pools of database connections tell of themselves."""

from prometheus_client import Gauge
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import QueuePool

CONNECTIONS = Gauge(
    "morrow_db_connections_in_use",
    "Database connections taken out of their pool now",
    ["application"],
    multiprocess_mode="livesum",
)
MOST_CONNECTIONS = Gauge(
    "morrow_db_connections_most",
    "Database connections that may be taken out of their pool at once",
    ["application"],
    multiprocess_mode="livesum",
)


def watch_pool(engine: AsyncEngine, application: str, most: int) -> None:
    """Tell of the engine's pool from now on. It is asked anew each time: it gives connections back
    that nobody was told it gave out, where their database is away."""
    in_use, at_most = CONNECTIONS.labels(application), MOST_CONNECTIONS.labels(application)
    at_most.set(most)

    def taken(*_: object) -> None:
        in_use.set(_checked_out(engine))

    def given_back(*_: object) -> None:
        in_use.set(_checked_out(engine) - 1)  # it is told of before it is done

    def opened(*_: object) -> None:
        at_most.set(most)

    def disposed(*_: object) -> None:
        at_most.set(0)  # such as that of the checks at the start

    event.listen(engine.sync_engine, "connect", opened)
    event.listen(engine.sync_engine, "engine_disposed", disposed)
    event.listen(engine.sync_engine, "checkout", taken)
    event.listen(engine.sync_engine, "checkin", given_back)


def _checked_out(engine: AsyncEngine) -> int:
    pool = engine.sync_engine.pool
    assert isinstance(pool, QueuePool)
    return pool.checkedout()
