"""What the API is sent and holds in secret is in none of its answers, and in no line it logs, at
the most talkative level; and nothing it is sent makes a line of its own. With real processes."""

import json
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_urlsafe
from urllib.parse import quote

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.engine import make_url
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from shared.auth import make_key
from shared.errors import install_error_answers
from tests.conftest import OPERATOR_KEY, Database
from tests.jobs.asking import sales_rows
from tests.processes import Programs, programs_on
from tests.served import database

__all__ = ["database"]

ROOT = Path(__file__).parents[2]
OWN = {
    "MORROW_SEALING_KEY": token_urlsafe(32),
    "MORROW_OPEN_METEO_API_KEY": "canary-of-the-weather-key",
}
CREDENTIALS = "canary-of-the-credentials"
TICKET = "canary-of-a-ticket"
FIGURE = 987654.25
TOKEN = "eyJhbGciOiJub25lIn0" + ".eyJzdWIiOiJjYW5hcnkifQ" + "."
FORGED = 'roll\n{"event": "forged"}\r\n\x1b[31mforged\u2028forged'


@dataclass
class Heard:
    """What an API was asked, and all that it answered."""

    api: Programs
    key: str
    answers: list[httpx.Response] = field(default_factory=list)

    async def ask(self, method: str, path: str, key: str | None = None, **what: object) -> None:
        headers = {"Authorization": f"Bearer {self.key if key is None else key}"}
        async with httpx.AsyncClient(base_url=self.api.address, headers=headers) as client:
            self.answers.append(await client.request(method, path, **what))  # type: ignore[arg-type]

    async def knock(self, query: str) -> None:
        where = self.api.address.replace("http", "ws")
        job = "00000000-0000-4000-8000-000000000000"
        with pytest.raises(InvalidStatus):
            await connect(f"{where}/api/v1/training-jobs/{job}/ws?{query}")

    def said(self) -> str:
        return self.api.started[0].said()


@pytest.fixture(scope="module")
async def heard(
    database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Heard]:
    """A tenant that is let in, and strangers that are not, each with what they should not say."""
    talkative = {"MORROW_LOG_LEVEL": "debug", "MORROW_DB_ECHO": "true"}
    with programs_on(database, tmp_path_factory.mktemp("api"), **OWN, **talkative) as programs:
        programs.serve()
        async with await programs.tenant() as opened:
            heard = Heard(programs, opened.headers["authorization"].removeprefix("Bearer "))
        await say_everything(heard)
        yield heard


async def say_everything(heard: Heard) -> None:
    rows = [row | {"quantity": FIGURE} for row in sales_rows("roll")]
    await heard.ask("POST", "/api/v1/sales", json={"rows": rows})
    bad = [rows[0] | {"product": FORGED, "quantity": "no"}]
    await heard.ask("POST", "/api/v1/sales", json={"rows": bad})
    source = {"kind": "http", "base_url": "https://till.example/", "credentials": CREDENTIALS}
    await heard.ask("PUT", "/api/v1/sources/sales", json=source)
    await heard.ask("PUT", "/api/v1/sources/sales", json=source | {"base_url": "till"})
    await heard.ask("GET", "/api/v1/sources")
    await heard.ask("GET", f"/api/v1/models/00000000-0000-4000-8000-000000000000?key={TICKET}")
    for stranger in (OPERATOR_KEY, make_key().secret, TOKEN, OWN["MORROW_SEALING_KEY"]):
        await heard.ask("GET", "/api/v1/tenant", stranger)
    await heard.ask("GET", f"/api/v1/forecasts/{quote(FORGED)}/explain?api_key={TICKET}")
    await heard.ask("GET", "/api/v1/tenant", headers={"X-Request-ID": f"x {CREDENTIALS}"})
    for query in (f"ticket={TICKET}", f"%74icket={TICKET}", f"since=1&ticket={TICKET}"):
        await heard.knock(query)


def test_no_secret_and_no_figure_is_logged(heard: Heard) -> None:
    password = make_url(heard.api.database.api_dsn).password or ""
    assert len(password) > 8
    said = heard.said()
    for secret in (*OWN.values(), heard.key, CREDENTIALS, TICKET, TOKEN, OPERATOR_KEY, password):
        assert secret not in said
    assert str(FIGURE) not in said


def test_every_line_is_an_event_and_none_is_forged(heard: Heard) -> None:
    events = [json.loads(line)["event"] for line in heard.said().splitlines()]
    assert "forged" not in events
    assert any("WebSocket /api" in event for event in events)
    assert any("INSERT INTO sales" in event for event in events)


def test_no_answer_holds_a_secret(heard: Heard) -> None:
    assert {answer.status_code for answer in heard.answers} >= {200, 401, 403, 404, 422}
    for answer in heard.answers:
        for secret in (*OWN.values(), heard.key, CREDENTIALS, TICKET, TOKEN, OPERATOR_KEY):
            assert secret not in answer.text
            assert secret not in str(answer.headers)


def test_no_answer_tells_what_serves_it(heard: Heard) -> None:
    assert not [answer.url for answer in heard.answers if "server" in answer.headers]


async def test_the_log_of_the_server_quotes_no_row(database: Database) -> None:
    connection = await asyncpg.connect(database.api_dsn)
    await connection.execute("CREATE TEMPORARY TABLE t (quantity float CHECK (quantity < 0))")
    with pytest.raises(asyncpg.CheckViolationError):
        await connection.execute("INSERT INTO t VALUES ($1)", FIGURE)
    await connection.close()
    log = database.server.log.read_text()
    assert "violates check constraint" in log
    assert str(FIGURE) not in log


def test_who_cannot_start_tells_no_password(database: Database) -> None:
    wrong = make_url(database.api_dsn).set(password="canary-of-the-password")
    ran = subprocess.run(
        [sys.executable, "-m", "services.training.cli", "serve", "--port", "0"],
        env={
            "MORROW_DATABASE_URL": wrong.render_as_string(hide_password=False),
            "MORROW_OPERATOR_KEY": OPERATOR_KEY,
            "MORROW_DB_ECHO": "true",
        },
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert ran.returncode != 0
    assert "password authentication failed" in ran.stdout + ran.stderr
    assert "canary-of-the-password" not in ran.stdout + ran.stderr


async def test_what_nobody_foresaw_is_told_to_the_log_alone() -> None:
    app = FastAPI()
    install_error_answers(app)

    @app.get("/fails")
    def fails() -> None:
        raise RuntimeError(f"SELECT quantity FROM sales; {CREDENTIALS}")

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://morrow") as client:
        answer = await client.get("/fails")
    assert answer.status_code == 500
    assert answer.json()["code"] == "internal_error"
    for told in (CREDENTIALS, "SELECT", "RuntimeError", "Traceback"):
        assert told not in answer.text
