"""The sample suppliers over real HTTP, at a day that the test chooses."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date, datetime
from functools import cache

import uvicorn

from services.training.sample.upstream.mishaps import Mishaps
from services.training.sample.upstream.serve import sample_suppliers
from services.training.sample.upstream.suppliers import Suppliers, suppliers_app


@cache
def bakery_suppliers(today: date) -> Suppliers:
    """Those of one bakery; the clock is to be set."""
    return sample_suppliers(7, today, datetime.now)


@asynccontextmanager
async def served(suppliers: Suppliers) -> AsyncIterator[str]:
    """Their address, as long as the context lasts."""
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        suppliers_app(suppliers), log_config=None, lifespan="off", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    await serving


@asynccontextmanager
async def sample_at(now: datetime) -> AsyncIterator[tuple[str, Suppliers]]:
    """The sample whose sales end the day before `now`, which is its clock's instant."""
    made = replace(bakery_suppliers(now.date()), clock=lambda: now, mishaps=Mishaps())
    async with served(made) as url:
        yield url, made
