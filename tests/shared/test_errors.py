"""What the database's errors are to those who ask."""

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from shared.database import DatabaseUnavailable
from shared.errors import install_error_answers

LOST = [
    DatabaseUnavailable("cannot connect"),
    PoolTimeout("no connection is free"),
    asyncpg.InterfaceError("connection is closed"),
    asyncpg.AdminShutdownError("terminating connection"),
    asyncpg.CannotConnectNowError("the database system is starting up"),
    asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation"),
    DBAPIError("SELECT 1", (), asyncpg.ConnectionDoesNotExistError("was closed")),
]
MISTAKES = [
    asyncpg.InterfaceError("the server expects 2 arguments for this query, 1 was passed"),
    asyncpg.UndefinedTableError('relation "sale" does not exist'),
    DBAPIError("SELECT 1", (), asyncpg.UndefinedTableError("does not exist")),
]


async def answer_to(error: Exception) -> httpx.Response:
    app = FastAPI()
    install_error_answers(app)

    @app.get("/")
    async def fail() -> None:
        raise error

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://morrow") as client:
        return await client.get("/")


@pytest.mark.parametrize("error", LOST, ids=repr)
async def test_a_connection_that_is_lost_is_to_be_tried_again(error: Exception) -> None:
    answer = await answer_to(error)
    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
    assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.parametrize("error", MISTAKES, ids=repr)
async def test_a_mistake_of_our_own_is_none_of_the_databases(error: Exception) -> None:
    assert (await answer_to(error)).status_code == 500


async def test_a_query_that_took_too_long_is_told_as_such() -> None:
    answer = await answer_to(asyncpg.QueryCanceledError("statement timeout"))
    assert (answer.status_code, answer.json()["code"]) == (504, "deadline_exceeded")
