"""Two tenants who hold everything, in one database that is filled once and copied for each run."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI

from services.training.app import create_app
from shared.database import PoolLimits, connect_directly, make_engine, make_sessions
from shared.doorbell import Bell
from shared.postgres import RunningPostgres
from shared.roles import WORKER
from tests.conftest import (
    OPERATOR_KEY,
    Database,
    client_of,
    execute,
    fresh_database,
    settings_for,
)
from tests.security.holdings import AMBER, BIRCH, Holdings, Keys, Marks
from tests.security.naming import holdings_of
from tests.security.shop import Shop, cut_keys, fill_at_rest, fill_at_work, open_shop
from tests.worker_here import working_here

SEALING_KEY = "sealing-key-of-lazy-grey-badgers"
AS_IF_NOW = (
    "UPDATE breaker_instances SET seen_at = now() + interval '1 hour'",
    "UPDATE api_keys SET expires_at = now() - interval '1 hour' WHERE name LIKE '% expired'",
)
"""Breakers are told of as long as their process lives, and no key can be made that has expired."""


@dataclass(frozen=True)
class Side:
    """One of two tenants: what it has, and with which keys."""

    marks: Marks
    id: UUID
    keys: Keys
    holdings: Holdings
    artifact: bytes


@dataclass(frozen=True)
class Filled:
    """A database and a folder that nobody works on, to be copied."""

    database: str
    folder: Path
    server: RunningPostgres
    sides: tuple[Side, Side]


@dataclass(frozen=True)
class Ground:
    """Where one run takes place: a database of its own, as the API's role and the superuser reach
    it, and a folder of its own."""

    api_dsn: str
    admin_dsn: str
    folder: Path


@pytest.fixture(scope="session")
async def filled(
    postgres_server: RunningPostgres, template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Filled]:
    folder = tmp_path_factory.mktemp("filled")
    with fresh_database(postgres_server, template) as database:
        sides = await _fill(database, folder)
        yield Filled(database.name, folder, postgres_server, sides)


@contextmanager
def copied(filled: Filled, folder: Path) -> Iterator[Ground]:
    """A copy of both."""
    shutil.copytree(filled.folder, folder, dirs_exist_ok=True)
    with fresh_database(filled.server, filled.database) as database:
        yield Ground(database.api_dsn, database.admin_dsn, folder)


@asynccontextmanager
async def started(dsn: str, folder: Path) -> AsyncIterator[FastAPI]:
    app = create_app(settings_for(dsn, folder, sealing_key=SEALING_KEY))
    async with app.router.lifespan_context(app):
        yield app


async def _fill(database: Database, folder: Path) -> tuple[Side, Side]:
    async with AsyncExitStack() as held:
        app = await held.enter_async_context(started(database.api_dsn, folder))
        api = await held.enter_async_context(client_of(app, OPERATOR_KEY))
        shops = [await open_shop(app, api, marks) for marks in (AMBER, BIRCH)]
        for shop in shops:
            held.push_async_callback(shop.client.aclose)
        async with working_here(_workers_settings(database, folder)):
            await asyncio.gather(*(fill_at_work(shop) for shop in shops))
        await _at_rest(database, shops)
        first, second = [await _side(shop) for shop in shops]
    await execute(database.admin_dsn, *AS_IF_NOW)
    return first, second


def _workers_settings(database: Database, folder: Path) -> Any:
    return settings_for(
        database.worker_dsn,
        folder,
        workers=2,
        renew_seconds=0.5,
        allow_private_upstreams=True,
        sealing_key=SEALING_KEY,
    )


async def _at_rest(database: Database, shops: list[Shop]) -> None:
    engine = make_engine(database.worker_dsn, WORKER, PoolLimits(size=2), "test-fill")
    bell = Bell(partial(connect_directly, database.worker_dsn, WORKER, "test-fill-bell"))
    for shop in shops:
        await fill_at_rest(shop, make_sessions(engine), bell)
    await engine.dispose()


async def _side(shop: Shop) -> Side:
    keys = await cut_keys(shop)
    holdings = await holdings_of(shop)
    artifact = await shop.client.get(f"/api/v1/models/{holdings.challenger}/artifact")
    return Side(shop.marks, shop.id, keys, holdings, artifact.content)
