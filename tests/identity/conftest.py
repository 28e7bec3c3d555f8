"""One database and one API for the tests of a module: each test is a tenant of its own."""

from collections.abc import AsyncIterator, Iterator

import pytest
from fastapi import FastAPI

from services.training.app import create_app
from shared.postgres import RunningPostgres
from tests.conftest import Database, fresh_database, settings_for


@pytest.fixture(scope="module")
def database(postgres_server: RunningPostgres, template: str) -> Iterator[Database]:
    with fresh_database(postgres_server, template) as made:
        yield made


@pytest.fixture(scope="module")
async def app(
    database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[FastAPI]:
    application = create_app(settings_for(database.api_dsn, tmp_path_factory.mktemp("api")))
    async with application.router.lifespan_context(application):
        yield application
