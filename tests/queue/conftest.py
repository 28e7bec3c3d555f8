"""The queue on a database of its own, and a tenant in it."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from tests.conftest import Database
from tests.queue.real_queue import Queue, open_queue


@pytest.fixture
async def queue(database: Database) -> AsyncIterator[Queue]:
    async with open_queue(database) as opened:
        yield opened


@pytest.fixture
async def tenant_id(queue: Queue) -> UUID:
    return await queue.tenant()
