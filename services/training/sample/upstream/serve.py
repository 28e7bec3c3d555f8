"""The sample suppliers over real HTTP, until they are told to stop."""

import socket
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import uvicorn

from services.training.sample.bakery import generate_bakery
from services.training.sample.upstream.mishaps import Mishaps
from services.training.sample.upstream.skies import skies_over
from services.training.sample.upstream.suppliers import Suppliers, suppliers_app
from services.training.sample.upstream.till import read_sales_file, till_of

HISTORY_DAYS = 730


def sample_suppliers(
    seed: int, today: date, clock: Callable[[], datetime], sales_file: Path | None = None
) -> Suppliers:
    """Those of the bakery of this seed, whose sales end the day before `today`; or of another shop
    in the same weather, whose sales are in a file."""
    bakery = generate_bakery(seed, today - timedelta(days=HISTORY_DAYS), HISTORY_DAYS)
    till = till_of(bakery if sales_file is None else read_sales_file(sales_file))
    return Suppliers(till, skies_over(bakery, seed), clock, Mishaps())


def clock_from(today: date) -> Callable[[], datetime]:
    """The present, or where `today` is another day, that day at this time of day."""

    def clock() -> datetime:
        now = datetime.now(UTC)
        return now if today == date.today() else datetime.combine(today, now.timetz())

    return clock


def serve_suppliers(suppliers: Suppliers, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT; prints `ready http://host:port` once it listens."""
    listening = socket.create_server((host, port))
    print(f"ready http://{host}:{listening.getsockname()[1]}", flush=True)
    config = uvicorn.Config(
        suppliers_app(suppliers),
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=1,  # one who was made to hang shall not keep the others
    )
    uvicorn.Server(config).run(sockets=[listening])
