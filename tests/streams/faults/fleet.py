"""API processes behind one port: who has ended is followed by another."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from services.training.up.address import listen
from shared.processes.mortal import start_mortal

ROOT = Path(__file__).resolve().parents[3]
OPERATOR_KEY = "operator-key-of-two-hundred-watchers"
END_SECONDS = 20.0
STARTED = b"Application startup complete"
ASKED = {0, -signal.SIGTERM}


@dataclass(slots=True)
class Api:
    """One process; `doomed` once it was killed or asked to end."""

    process: "subprocess.Popen[bytes]"
    log: Path
    doomed: bool = False

    @property
    def serves(self) -> bool:
        return self.process.poll() is None and not self.doomed and self.has_started

    @property
    def has_started(self) -> bool:
        return STARTED in self.log.read_bytes()

    def send(self, number: signal.Signals) -> None:
        self.doomed = True
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process.pid, number)


@dataclass
class Fleet:
    """`unasked` counts how processes ended that had started, and that nobody had told to end so;
    `late` when they were told to, and did not."""

    dsn: str
    folder: Path
    size: int
    listening: socket.socket = field(default_factory=lambda: listen("127.0.0.1", 0))
    apis: list[Api] = field(default_factory=list)
    unasked: Counter[str] = field(default_factory=Counter)
    started: int = 0

    @property
    def port(self) -> int:
        port: int = self.listening.getsockname()[1]
        return port

    @property
    def is_whole(self) -> bool:
        return len(self.serving()) == self.size

    def serving(self) -> list[Api]:
        return [api for api in self.apis if api.serves]

    def keep_up(self) -> None:
        for api in self.apis:
            self._note_end(api)
        self.apis = [api for api in self.apis if api.process.poll() is None]
        while len(self.apis) < self.size:
            self.apis.append(self._start())

    def end(self) -> None:
        """Ask all to end, kill the late; nobody follows them."""
        for api in self.apis:
            api.send(signal.SIGTERM)
        for api in self.apis:
            try:
                api.process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                self.unasked["late"] += 1
                api.process.kill()
                api.process.wait()
            self._note_end(api)
        self.apis = []
        self.listening.close()

    def logs(self) -> Iterator[str]:
        return (path.read_text(errors="replace") for path in sorted(self.folder.glob("*.log")))

    def _note_end(self, api: Api) -> None:
        status = api.process.poll()
        killed = api.doomed and status == -signal.SIGKILL
        if status is None or killed or not api.has_started:
            return
        if not (api.doomed and status in ASKED):
            self.unasked[str(status)] += 1

    def _start(self) -> Api:
        self.started += 1
        log = self.folder / f"api-{self.started}.log"
        fd = self.listening.fileno()
        command = [sys.executable, "-m", "services.training.cli", "serve", "--fd", str(fd)]
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "MORROW_DATABASE_URL": self.dsn,
            "MORROW_OPERATOR_KEY": OPERATOR_KEY,
            "MORROW_MODEL_STORAGE_PATH": str(self.folder / "models"),
            "MORROW_SPOOL_PATH": str(self.folder / "spool"),
            "MORROW_LOG_FORMAT": "json",
        }
        with log.open("wb") as output:
            process = start_mortal(
                command,
                death_signal=signal.SIGKILL,
                env=environment,
                stdout=output,
                stderr=output,
                cwd=ROOT,
                pass_fds=(fd,),
            )
        return Api(process, log)
