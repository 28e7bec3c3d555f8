"""In its container a program is the first process, to which a signal that it did not ask for does
nothing."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import Database
from tests.infrastructure.kubelet.node import ROOT
from tests.process_life import all_end, children_of

ALONE = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child"]
PATIENCE_SECONDS = 30.0


def first_process_of(container: int) -> int:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (children := children_of(container)):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return children[0]


def asks_for_sigterm(pid: int) -> bool:
    """Whether it has begun to run what is ours."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    [caught] = [line.split()[1] for line in lines if line.startswith("SigCgt")]
    return bool(int(caught, 16) >> (signal.SIGTERM - 1) & 1)


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_who_is_told_to_end_while_it_starts_ends(
    command: str, database: Database, tmp_path: Path
) -> None:
    """Else it would start, take up work, and be killed at it when its grace is over."""
    if shutil.which("unshare") is None or subprocess.run([*ALONE, "true"]).returncode:
        pytest.skip("this user may make no namespaces")
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "client"))),
        "MORROW_DATABASE_URL": {"serve": database.api_dsn, "worker": database.worker_dsn}[command],
        "MORROW_MODEL_STORAGE_PATH": str(tmp_path / "models"),
        "MORROW_SPOOL_PATH": str(tmp_path / "spool"),
    }
    program = [sys.executable, "-m", "services.training.cli", command]
    with (
        (tmp_path / "log").open("wb") as log,
        subprocess.Popen([*ALONE, *program], env=environment, stdout=log, stderr=log) as container,
    ):
        try:
            first = first_process_of(container.pid)
            deadline = time.monotonic() + PATIENCE_SECONDS
            while not asks_for_sigterm(first):
                assert time.monotonic() < deadline
                time.sleep(0.005)
            os.kill(first, signal.SIGTERM)
            assert all_end([first]), (tmp_path / "log").read_text()
        finally:
            container.kill()
    said = (tmp_path / "log").read_text()
    assert "worker_started" not in said
    assert "startup complete" not in said
