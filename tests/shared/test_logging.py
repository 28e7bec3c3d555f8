"""An event is one line, whoever writes what, and no line holds a secret."""

import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from shared.database import PoolLimits, make_engine
from shared.logging import MOST_CHARACTERS, configure_logging
from shared.roles import API
from tests.conftest import Database

ROOT = Path(__file__).parents[2]
CANARY = "canary-9f3b7c1d2e"
FORGED = (
    "roll\n2026-11-22T00:00:00Z [error] forged",
    '"}\r\n{"event":"forged","level":"critical"}',
    "\x1b[2J\x1b[31mforged\x07",
    "\u2028forged\u2029\x85forged\x0b\x0c",
    "\u202egnorw si siht",
    "\ud800 alone",
    "\x00\x9b31m",
)


@pytest.fixture(params=["json", "console"])
def form(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def written(form: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What is logged meanwhile, in this form, with the canary as a known secret."""
    kept = io.StringIO()
    hook = sys.excepthook
    monkeypatch.setattr(sys, "stderr", kept)
    configure_logging("debug", form == "console", [CANARY])
    yield kept
    monkeypatch.undo()
    configure_logging("warning", console=False)
    sys.excepthook = hook


@pytest.mark.parametrize("forged", FORGED)
@pytest.mark.parametrize("place", ["value", "event", "name", "message", "nested"])
def test_nothing_that_is_said_makes_a_line_of_its_own(
    forged: str, place: str, form: str, written: io.StringIO
) -> None:
    log = structlog.get_logger("tests")
    match place:
        case "value":
            log.warning("sales_refused", product=forged)
        case "event":
            log.warning(forged)
        case "name":
            log.warning("sales_refused", **{forged: 1})
        case "nested":
            log.warning("sales_refused", rows=[{"product": forged, forged: {forged}}])
        case _:
            logging.getLogger("uvicorn.error").warning("GET %s refused", forged)
    (line,) = written.getvalue().splitlines()
    line.encode()
    if form == "json":
        assert json.loads(line)["level"] == "warning"
    else:
        assert forged not in line
        assert "\x1b[2J" not in line
        assert "\x07" not in line


def fail(message: str) -> None:
    raise RuntimeError(message)


@pytest.mark.parametrize("forged", FORGED)
def test_a_traceback_stays_within_its_event(forged: str, form: str, written: io.StringIO) -> None:
    try:
        fail(forged)
    except RuntimeError as error:
        structlog.get_logger("tests").error("request_failed", exc_info=error)
    first, *others = written.getvalue().splitlines()
    if form == "json":
        assert "RuntimeError" in json.loads(first)["exception"]
        assert others == []
    else:
        assert "request_failed" in first
        assert all(line.startswith("    ") for line in others)


SAID: list[dict[str, Any]] = [
    {"error": f"it was {CANARY}"},
    {"password": "hunter2-hunter2"},
    {"headers": {"Authorization": "hunter2-hunter2"}},
    {"headers": [(b"authorization", b"Bearer hunter2-hunter2")]},
    {"headers": [[b"x-api-key", b"hunter2-hunter2"], ["cookie", "hunter2-hunter2"]]},
    {"error": ValueError("postgresql://api:hunter2-hunter2@db/morrow")},
    {"path": "/api/v1/training-jobs/1/ws?ticket=hunter2-hunter2"},
]


@pytest.mark.parametrize("said", SAID)
def test_no_value_holds_a_secret(said: dict[str, Any], written: io.StringIO) -> None:
    structlog.get_logger("tests").warning("something", **said)
    assert "something" in written.getvalue()
    assert CANARY not in written.getvalue()
    assert "hunter2" not in written.getvalue()


def test_no_traceback_holds_a_secret(written: io.StringIO) -> None:
    try:
        try:
            fail(f"connecting as {CANARY}")
        except RuntimeError as error:
            raise ValueError("Bearer hunter2-hunter2") from error
    except ValueError:
        structlog.get_logger("tests").exception("request_failed")
        logging.getLogger("asyncio").exception("Task exception was never retrieved")
    assert written.getvalue().count("RuntimeError: connecting as") == 2
    assert CANARY not in written.getvalue()
    assert "hunter2" not in written.getvalue()


async def test_an_error_of_the_database_quotes_no_row(
    database: Database, written: io.StringIO
) -> None:
    """Neither what SQLAlchemy was given nor what PostgreSQL says of the row."""
    engine = make_engine(database.api_dsn, API, PoolLimits(size=1, echo=True), "tests")
    figure = {"product": "secret-roll", "quantity": 4242.5}
    async with engine.begin() as connection:
        await connection.execute(
            text("CREATE TEMPORARY TABLE t (product text, quantity float CHECK (quantity < 0))")
        )
        with pytest.raises(DBAPIError) as failed:
            await connection.execute(text("INSERT INTO t VALUES (:product, :quantity)"), figure)
        structlog.get_logger("tests").error("request_failed", exc_info=failed.value)
        structlog.get_logger("tests").error("request_failed", error=str(failed.value))
        await connection.rollback()
    await engine.dispose()
    assert written.getvalue().count("violates check constraint") >= 2
    assert "secret-roll" not in written.getvalue()
    assert "4242.5" not in written.getvalue()


def test_what_is_endless_is_shortened(written: io.StringIO) -> None:
    structlog.get_logger("tests").warning("something", path="/x" * 1_000_000)
    assert len(written.getvalue()) < MOST_CHARACTERS + 1000


def test_numbers_are_json(form: str, written: io.StringIO) -> None:
    structlog.get_logger("tests").warning("something", bad=float("nan"), good=0.5, is_on=True)
    if form == "json":
        line = json.loads(written.getvalue(), parse_constant=pytest.fail)
        assert (line["bad"], line["good"], line["is_on"]) == ("nan", 0.5, True)


def test_what_ends_a_process_is_an_event_too() -> None:
    program = (
        "from shared.logging import configure_logging\n"
        f"configure_logging('info', False, ['{CANARY}'])\n"
        f"raise RuntimeError('cannot go on with {CANARY}\\nforged')"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert ran.returncode == 1
    (line,) = ran.stderr.splitlines()
    assert json.loads(line)["event"] == "process_failed"
    assert "cannot go on" in line
    assert CANARY not in line
