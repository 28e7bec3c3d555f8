"""The service's programs as processes of their own, on a test's database."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.conftest import BAKERY, OPERATOR_KEY, Database

PATIENCE_SECONDS = 60.0


@dataclass
class Program:
    """A started program; whatever becomes of the test, it is gone in the end."""

    process: "subprocess.Popen[bytes]"
    log: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def ended(self) -> int:
        return self.process.wait(PATIENCE_SECONDS)

    def kill(self) -> None:
        self.process.kill()
        self.ended()

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def wait_for(self, words: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while words not in self.said():
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.02)


@dataclass
class Programs:
    """The API and workers of one database; every one ends with the test."""

    database: Database
    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    started: list[Program] = field(default_factory=list)
    port: int = 0
    module: str = "services.training.cli"

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def serve(self) -> Program:
        """The API, always at the same address; ready once this returns."""
        self.port = self.port or free_port()
        arguments = ["serve", "--port", str(self.port)]
        program = self._start("serve", arguments, self.database.api_dsn)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._is_ready():
            assert program.process.poll() is None, program.said()
            assert time.monotonic() < deadline, program.said()
            time.sleep(0.05)
        return program

    def work(self) -> Program:
        program = self._start("worker", ["worker"], self.database.worker_dsn)
        program.wait_for("worker_started")
        return program

    def client(self, key: str) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {key}"}
        return httpx.AsyncClient(
            base_url=f"{self.address}/api/v1", headers=headers, timeout=PATIENCE_SECONDS
        )

    async def tenant(self, **values: Any) -> httpx.AsyncClient:
        """A client with the key of a new tenant."""
        async with self.client(OPERATOR_KEY) as operator:
            made = await operator.post("/tenants", json=BAKERY | values)
            assert made.status_code == 201, made.text
        return self.client(made.json()["api_key"])

    def end_all(self) -> None:
        for program in self.started:
            if program.process.poll() is None:
                program.process.send_signal(signal.SIGCONT)
                program.kill()

    def _start(self, name: str, arguments: list[str], dsn: str) -> Program:
        log = self.folder / f"{name}-{len(self.started)}.log"
        environment = {
            **os.environ,
            "MORROW_DATABASE_URL": dsn,
            "MORROW_OPERATOR_KEY": OPERATOR_KEY,
            "MORROW_MODEL_STORAGE_PATH": str(self.folder / "models"),
            "MORROW_SPOOL_PATH": str(self.folder / "spool"),
            "MORROW_LOG_FORMAT": "json",
            "MORROW_WORKERS": "2",
            **self.settings,
        }
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", self.module, *arguments],
                env=environment,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        program = Program(process, log)
        self.started.append(program)
        return program

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.address}/health/ready").status_code == 200
        except httpx.TransportError:
            return False


@contextmanager
def programs_on(database: Database, folder: Path, **settings: str) -> Iterator[Programs]:
    programs = Programs(database, folder, settings)
    try:
        yield programs
    finally:
        programs.end_all()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
