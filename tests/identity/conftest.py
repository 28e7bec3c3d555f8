"""One database and one API for the tests of a module: each test is a tenant of its own."""

from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI

from services.training.app import create_app
from tests.conftest import Database, settings_for
from tests.served import database

__all__ = ["database"]


@pytest.fixture(scope="module")
async def app(
    database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[FastAPI]:
    application = create_app(settings_for(database.api_dsn, tmp_path_factory.mktemp("api")))
    async with application.router.lifespan_context(application):
        yield application
