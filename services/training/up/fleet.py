"""The processes of `morrow up`, kept running together and stopped together."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from subprocess import Popen

from services.training.up.database import Database
from services.training.up.options import UpOptions
from shared.metrics_server import forget_live_gauges
from shared.processes.signals import SignalInbox
from shared.processes.strangers import Strangers, end_strangers
from shared.processes.supervised import Program, RestartPolicy, SupervisedChild

TICK_SECONDS = 0.1
HASTENED = 2


class ProgramFailed(Exception):
    """A program that had to succeed did not."""

    def __init__(self, child: SupervisedChild) -> None:
        self.status = child.last_status
        super().__init__(
            f"{child.program.name} ended with status {self.status}; it last said:\n"
            f"{child.last_lines()}"
        )


class Fleet:
    """Children over one database, and whoever they leave behind."""

    def __init__(
        self, database: Database, policy: RestartPolicy, inbox: SignalInbox, metrics: Path
    ) -> None:
        self.children: list[SupervisedChild] = []
        self._database = database
        self._policy = policy
        self._inbox = inbox
        self._metrics = metrics
        self._strangers = Strangers()

    def start(self, program: Program) -> SupervisedChild:
        child = SupervisedChild(program, self._policy, sys.stderr.buffer)
        self.children.append(child)
        child.start(time.monotonic())
        return child

    def finish(self, program: Program) -> None:
        """Run a program to its end, once; a request to stop ends the waiting for it.

        Raises ProgramFailed with its status and the last it said.
        """
        child = self.start(program)
        while child.runs(time.monotonic()):
            if self._inbox.stop_requests:
                return
            self._inbox.wait(TICK_SECONDS)
        self.children.remove(child)
        forget_live_gauges(self._metrics, child.ended_pids)
        if child.last_status != 0:
            raise ProgramFailed(child)

    def tend(self) -> None:
        """Wait a moment, or for a signal; start again what has died. Raises PostgresFailed."""
        self._inbox.wait(TICK_SECONDS)
        now = time.monotonic()
        if (status := self._database.tend(now)) is not None:
            say(f"postgres ended with status {status} and was started again")
        for child in self.children:
            if (status := child.tend(now)) is not None:
                say(f"{child.program.name} ended with status {status} and is started again")
        self._bury(self._strangers.tend(self._known(), now))

    def stop(self, grace_seconds: float) -> None:
        """Ask all to end, wait for them, kill the late; a second request to stop ends the wait."""
        for child in self.children:
            child.request_stop()
        deadline = time.monotonic() + grace_seconds
        while self._any_runs() and time.monotonic() < deadline:
            if self._inbox.stop_requests >= HASTENED:
                break
            self._inbox.wait(TICK_SECONDS)
        for child in self.children:
            child.kill(time.monotonic())
        end_strangers(self._known())

    def _any_runs(self) -> bool:
        now = time.monotonic()
        return any(child.runs(now) for child in self.children)

    def _known(self) -> tuple[Popen[bytes], ...]:
        own = (child.process for child in self.children)
        return (*self._database.processes(), *(process for process in own if process is not None))

    def _bury(self, reaped: list[int]) -> None:
        for child in self.children:
            reaped += child.ended_pids
            child.ended_pids.clear()
        forget_live_gauges(self._metrics, reaped)


@contextmanager
def open_fleet(
    database: Database, options: UpOptions, inbox: SignalInbox, metrics: Path
) -> Iterator[Fleet]:
    """A fleet without children yet, all of which are stopped at the end."""
    fleet = Fleet(database, options.restart, inbox, metrics)
    try:
        yield fleet
    finally:
        fleet.stop(options.grace_seconds)


def say(line: str) -> None:
    """For people, beside the children's logs; standard output belongs to machines."""
    with suppress(OSError):  # nobody listens any more, which is no reason to stop the service
        print(f"morrow up: {line}", file=sys.stderr, flush=True)
