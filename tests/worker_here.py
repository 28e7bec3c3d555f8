"""A worker as it runs in its own process, in this one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.training.settings import Settings
from services.training.worker import work_until


@asynccontextmanager
async def working_here(settings: Settings) -> AsyncIterator[None]:
    """At work as long as the context lasts, and then hurried out."""
    stop, hurry = asyncio.Event(), asyncio.Event()
    task = asyncio.create_task(work_until(settings, stop, hurry))
    yield
    stop.set()
    hurry.set()
    await task
