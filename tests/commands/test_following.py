"""Following a job as a program of its own, against an API that comes and goes."""

import asyncio
import contextlib
import json
import os
import pty
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import pytest

from morrow import Client
from tests.commands.conftest import Served
from tests.commands.run_morrow import morrow
from tests.conftest import BAKERY, OPERATOR_KEY, Database
from tests.jobs.asking import sales_rows
from tests.process_life import PATIENCE_SECONDS
from tests.processes import Programs, programs_on

CLI = (sys.executable, "-m", "services.training.cli")
PRODUCTS = [f"p{number}" for number in range(4)]
QUICK = ("--family", "baseline", "--horizon-days", "7")
WAITS = "the job waits for a worker"
PASSING = {"product.started", "product.progress"}
CURSOR_SHOWN = "\x1b[?25h"


@dataclass
class Follower:
    """A started `morrow`, and what it has said so far."""

    process: "subprocess.Popen[str]"
    spoken: int
    said: bytearray = field(default_factory=bytearray)

    @property
    def words(self) -> str:
        return self.said.decode(errors="replace")

    def wait_for(self, words: str) -> None:
        self._until(lambda: words in self.words)

    def ended(self) -> tuple[int, str]:
        """Its exit status, and what it wrote on standard output."""
        out, _ = self.process.communicate(timeout=PATIENCE_SECONDS)
        self._until(lambda: self.spoken < 0)
        return self.process.returncode, out

    def listen(self) -> None:
        """Until nobody speaks any more: a terminal says so by an error, a pipe by nothing."""
        with contextlib.suppress(OSError):
            while heard := os.read(self.spoken, 4096):
                self.said += heard
        os.close(self.spoken)
        self.spoken = -1

    def _until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert self.spoken >= 0, self.words
            assert time.monotonic() < deadline, self.words
            time.sleep(0.02)


@contextlib.contextmanager
def started(api: Served, *arguments: str, on_terminal: bool = False) -> Iterator[Follower]:
    """A `morrow` that speaks to a terminal, or to a pipe; gone in the end."""
    spoken, mouth = pty.openpty() if on_terminal else os.pipe()
    named = {"MORROW_URL": api.url, "MORROW_API_KEY": api.key}
    process = subprocess.Popen(
        [*CLI, *arguments],
        env={**os.environ, **named, "TERM": "xterm", "COLUMNS": "160"},
        stdout=subprocess.PIPE,
        stderr=mouth,
        text=True,
        start_new_session=True,
    )
    os.close(mouth)
    follower = Follower(process, spoken)
    listening = threading.Thread(target=follower.listen)
    listening.start()
    with process:
        try:
            yield follower
        finally:
            process.kill()
            listening.join()


@pytest.fixture
def programs(database: Database, tmp_path: Path) -> Iterator[Programs]:
    with programs_on(database, tmp_path) as opened:
        opened.serve()
        yield opened


def with_sales(api: Served) -> Served:
    """Its tenant, that has sold some things by now."""
    with Client(api.url, api.key) as client:
        client.import_sales(row for product in PRODUCTS for row in sales_rows(product))
    return api


def new_tenant(programs: Programs) -> Served:
    with Client(programs.address, OPERATOR_KEY) as operator:
        made = operator.create_tenant(BAKERY["name"], country="DE", timezone=BAKERY["timezone"])
    return Served(programs.address, made["api_key"])


def run(api: Served, *arguments: str) -> str:
    """What a command that worked wrote on standard output."""
    done = morrow(*arguments, URL=api.url, API_KEY=api.key)
    assert done.exit_code == 0, done.output
    return done.stdout


async def test_a_job_is_followed_across_restarts_of_the_api(programs: Programs) -> None:
    """It is asked to end once, and killed once; while it is away the job is trained unseen."""
    api = with_sales(new_tenant(programs))
    with started(api, "train", *QUICK, "--follow") as follower:
        follower.wait_for(WAITS)
        [serving] = programs.started
        serving.send(signal.SIGTERM)
        serving.ended()
        programs.serve().kill()
        programs.work()
        await the_job_ends(programs.database)
        programs.serve()
        status, out = follower.ended()
    assert status == 0, follower.words
    assert f"no answer from {api.url}" in follower.words
    assert f"{len(PRODUCTS)} trained" in out
    told = [line.partition("] ")[2] for line in follower.words.splitlines() if line[:1] == "["]
    assert told == lasting_messages(api)


async def the_job_ends(database: Database) -> None:
    connection = await asyncpg.connect(database.admin_dsn)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await connection.fetchval("SELECT finished_at FROM jobs") is None:
            await asyncio.sleep(0.05)
    await connection.close()


def lasting_messages(api: Served) -> list[str]:
    """What the job's log says, without what only passes."""
    lines = run(api, "jobs", "events", newest_job(api)).splitlines()
    events = [json.loads(line) for line in lines]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert events[-1]["type"] == "job.finished"
    return [event["message"] for event in events if event["type"] not in PASSING]


def newest_job(api: Served) -> str:
    listed = json.loads(run(api, "jobs", "list", "--json"))
    job_id: str = listed["items"][0]["id"]
    return job_id


def test_who_leaves_is_told_how_to_come_back_and_how_to_end_the_job(served: Served) -> None:
    with_sales(served)
    for number in (signal.SIGINT, signal.SIGTERM):
        with started(served, "train", "--follow", on_terminal=True) as follower:
            follower.wait_for(WAITS)
            follower.process.send_signal(number)
            assert follower.ended() == (130, "")
        job = newest_job(served)
        assert f"morrow jobs watch {job}" in follower.words
        assert f"morrow jobs cancel {job}" in follower.words
        assert CURSOR_SHOWN in follower.words


def test_a_job_is_watched_and_cancelled(served: Served) -> None:
    with_sales(served)
    job = json.loads(run(served, "train", "--json"))["id"]
    with started(served, "jobs", "watch", job, "--json", on_terminal=True) as watching:
        watching.wait_for(WAITS)
        assert json.loads(run(served, "jobs", "cancel", job, "--json"))["status"] == "cancelled"
        status, out = watching.ended()
    assert (status, json.loads(out)["status"]) == (1, "cancelled")
    assert job in run(served, "jobs", "list")
    rest = run(served, "jobs", "events", job, "--since", "1").splitlines()
    assert [json.loads(line)["seq"] for line in rest] == list(range(2, len(rest) + 2))
    unknown = morrow("jobs", "watch", "0" * 32, URL=served.url, API_KEY=served.key)
    assert unknown.exit_code == 1
