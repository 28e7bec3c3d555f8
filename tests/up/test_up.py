"""`morrow up`, run as a program over real PostgreSQL, with stand-ins for Morrow's own programs."""

import asyncio
import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.request import urlopen

import asyncpg
import pytest

from shared.postgres import RunningPostgres
from tests.process_life import PATIENCE_SECONDS, all_end, runs
from tests.up.started import Up, eventually

STARTER = Path(__file__).with_name("start_up.py")
PROGRAMS = ("migrate", "serve", "worker")


@pytest.fixture(scope="module")
def data_dir() -> Iterator[Path]:
    """One for all, so that each test starts where the one before has ended, however it did."""
    with tempfile.TemporaryDirectory(prefix="morrow-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder) / "data"


Start = Callable[..., Up]


@pytest.fixture
def start(data_dir: Path, tmp_path: Path) -> Iterator[Start]:
    """Starts one; what still runs of it after the test is killed."""
    for old in data_dir.with_name("reports").glob("*.json"):
        old.unlink()
    with ExitStack() as started:

        def start(*programs: str, port: int = 0, **environ: str) -> Up:
            errors = tmp_path / f"errors-{len(os.listdir(tmp_path))}"
            inherited = {k: v for k, v in os.environ.items() if not k.startswith("MORROW_")}
            command = [sys.executable, str(STARTER), str(data_dir), str(port)]
            with errors.open("w") as sink:
                process = subprocess.Popen(
                    [*command, *(programs or PROGRAMS)],
                    stdout=subprocess.PIPE,
                    stderr=sink,
                    text=True,
                    env={**inherited, **environ, "PYTHONPATH": os.getcwd()},
                    start_new_session=True,
                )
            started.enter_context(process)
            started.callback(process.kill)
            return Up(process, data_dir, errors)

        yield start


def test_it_says_once_that_it_is_ready_and_is(start: Start) -> None:
    up = start()
    metrics, key, ready = up.lines()
    with urlopen(ready.removeprefix("ready ") + "/health/ready") as answer:
        assert answer.status == 200
    assert ready.startswith("ready http://127.0.0.1:")
    assert metrics.startswith("metrics http://127.0.0.1:")
    assert key == f"operator key in {up.data_dir / 'operator.key'}"
    assert up.stop() == 0
    assert up.process.stdout is not None
    assert up.process.stdout.read() == ""


def test_each_program_gets_what_it_needs_and_no_more(start: Start) -> None:
    up = start()
    lines = up.lines()
    assert (up.report("serve")["role"], up.report("worker")["role"]) == (
        "morrow_api",
        "morrow_worker",
    )
    env = {name: up.report(name)["env"] for name in PROGRAMS}
    key_file = up.data_dir / "operator.key"
    key = key_file.read_text().strip()
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    assert env["serve"]["MORROW_OPERATOR_KEY"] == key
    assert "MORROW_OPERATOR_KEY" not in env["worker"] | env["migrate"]
    assert env["worker"]["MORROW_WORKERS"] == "2"
    assert env["worker"]["MORROW_MODEL_STORAGE_PATH"] == str(up.data_dir / "models")
    assert "morrow_migrator:" in env["migrate"]["MORROW_DATABASE_URL"]
    up.stop()
    assert key not in "\n".join(lines) + up.errors.read_text()


def test_what_is_set_in_the_environment_is_used(start: Start) -> None:
    key = "kiosk-7-lynx-quagmire-9"
    up = start(MORROW_OPERATOR_KEY=key, MORROW_MODEL_STORAGE_PATH="s3://models")
    assert "operator key in MORROW_OPERATOR_KEY" in up.lines()
    env = up.report("serve")["env"]
    assert env["MORROW_OPERATOR_KEY"] == key
    assert env["MORROW_MODEL_STORAGE_PATH"] == "s3://models"
    up.stop()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_told_to_stop_it_leaves_nothing_running(start: Start, number: signal.Signals) -> None:
    up = start()
    up.lines()
    family = up.family()
    assert len(family) > 5
    assert up.stop(number) == 0
    assert not any(map(runs, family))


def test_a_killed_worker_is_started_again_without_its_leavings(start: Start) -> None:
    up = start()
    up.lines()
    first = up.report("worker")
    os.kill(first["pid"], signal.SIGKILL)
    second = up.another("worker", than=first["pid"])
    assert all_end([first["grandchild"]])
    assert runs(second["grandchild"])
    assert up.stop() == 0


def test_a_killed_database_is_started_again_with_its_rows(start: Start) -> None:
    up = start()
    up.lines()
    api = up.report("serve")["pid"]
    postmaster = int((up.data_dir / "postgres/cluster/postmaster.pid").read_text().split()[0])
    os.kill(postmaster, signal.SIGKILL)
    eventually(lambda: None, lambda: "postgres ended with status -9" in up.errors.read_text())
    os.kill(api, signal.SIGKILL)
    assert up.another("serve", than=api)["role"] == "morrow_api"
    assert up.stop() == 0


def test_killed_it_takes_all_with_it_and_loses_no_row(start: Start) -> None:
    up = start()
    up.lines()
    *family, grandchild = up.family()
    rows = up.report("migrate")["rows"]
    up.process.kill()
    up.process.wait()
    os.kill(grandchild, signal.SIGKILL)  # a real worker ties its children to itself
    again = start()
    assert again.lines()[-1].startswith("ready ")
    assert again.report("migrate")["rows"] == rows + 1
    assert not any(map(runs, family))
    assert again.stop() == 0


def test_killing_everything_at_once_costs_no_committed_row(start: Start) -> None:
    up = start()
    up.lines()
    rows = up.report("migrate")["rows"]
    for pid in (*up.family(), up.process.pid):
        os.kill(pid, signal.SIGKILL)
    again = start()
    assert again.lines()[-1].startswith("ready ")
    assert again.report("migrate")["rows"] == rows + 1
    assert again.stop() == 0


def test_a_second_one_is_refused_and_told_of_the_first(start: Start) -> None:
    up = start()
    up.lines()
    second = start()
    assert second.lines() == []
    assert second.process.wait() == 1
    assert f"in use by process {up.process.pid}" in second.errors.read_text()
    assert up.stop() == 0


@pytest.mark.parametrize("what", ["port", "MORROW_METRICS_PORT"])
def test_a_taken_port_is_told(start: Start, what: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        up = start(port=port) if what == "port" else start(**{what: str(port)})
        assert up.process.wait(PATIENCE_SECONDS) == 1
    assert f"port {port}: Address already in use" in up.errors.read_text()
    assert up.postgres() == ()


def test_a_metrics_port_that_is_none_is_told(start: Start) -> None:
    up = start(MORROW_METRICS_PORT="often")
    assert up.process.wait(PATIENCE_SECONDS) == 1
    assert "MORROW_METRICS_PORT='often'" in up.errors.read_text()


@pytest.mark.parametrize(
    ("programs", "complaint"),
    [
        (("migrate", "broken", "worker"), "serve ended 5 times before it was ready"),
        (("broken", "serve", "worker"), "migrate ended with status 1"),
    ],
)
def test_what_cannot_start_is_given_up_with_its_last_words(
    start: Start, programs: tuple[str, ...], complaint: str
) -> None:
    up = start(*programs)
    assert up.process.wait(PATIENCE_SECONDS) == 1
    report = up.errors.read_text().partition(complaint)[2]
    assert "no such thing as a broken program" in report
    assert up.postgres() == ()


def test_a_worker_that_will_not_stop_is_killed_after_the_grace(start: Start) -> None:
    up = start("migrate", "serve", "stubborn-worker", GRACE_SECONDS="0.2")
    up.lines()
    family = up.family()
    assert up.stop() == 0
    assert not any(map(runs, family))


def test_a_second_request_hastens_the_first(start: Start) -> None:
    up = start("migrate", "serve", "stubborn-worker", GRACE_SECONDS="600")
    up.lines()
    family = up.family()
    api = up.report("serve")["pid"]
    up.process.terminate()
    assert all_end([api])
    assert runs(up.report("worker")["pid"])
    assert up.stop() == 0
    assert not any(map(runs, family))


def test_the_metrics_of_all_processes_are_in_one_place(start: Start) -> None:
    up = start()
    url = up.lines()[0].removeprefix("metrics ")
    api = up.report("serve")["pid"]
    os.kill(api, signal.SIGKILL)
    up.another("serve", than=api)

    def metrics() -> list[str]:
        with urlopen(url) as answer:
            return str(answer.read().decode()).splitlines()

    eventually(metrics, lambda: "stand_in_starts_total 2.0" in metrics())
    assert "stand_in_up 1.0" in metrics()  # what the dead one said of now is forgotten
    assert up.stop() == 0


def test_a_given_database_is_used_and_left_alone(
    start: Start, postgres_server: RunningPostgres
) -> None:
    async def make() -> None:
        connection = await asyncpg.connect(postgres_server.url())
        await connection.execute("DROP DATABASE IF EXISTS given")
        await connection.execute("CREATE DATABASE given OWNER morrow_owner")
        await connection.close()

    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        runner.run(make())
    up = start(MORROW_DATABASE_URL=postgres_server.url(database="given"))
    up.lines()
    assert up.report("worker")["role"] == "postgres"
    assert up.postgres() == ()
    assert up.stop() == 0
    assert postgres_server.server.poll() is None
