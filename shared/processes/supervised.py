"""A child process that is started again when it dies."""

import os
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO

from shared.processes.mortal import start_mortal
from shared.processes.output_relay import OutputRelay

MOST_DOUBLINGS = 64  # beyond it the number, not the wait, would overflow


@dataclass(frozen=True, slots=True)
class Program:
    """What to run under a name, with exactly this environment and these open files."""

    name: str
    command: tuple[str, ...]
    env: Mapping[str, str]
    pass_fds: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """The wait before a restart, in seconds: doubled each time, and short again after a long life.

    The doubling keeps a program that cannot start from taking the machine.
    """

    first_delay: float = 0.5
    largest_delay: float = 10.0
    stable_after: float = 30.0

    def delay(self, deaths_in_a_row: int) -> float:
        doublings = min(deaths_in_a_row - 1, MOST_DOUBLINGS)
        return min(self.first_delay * 2.0**doublings, self.largest_delay)


class SupervisedChild:
    """A program kept running from `start` until `request_stop`; it dies with this process.

    It leads a session and process group of its own, and with it dies all that is left of the
    group. Its output, both kinds, goes to `sink`. Times are readings of one monotonic clock, in
    seconds. All methods belong to the main thread.
    """

    def __init__(self, program: Program, policy: RestartPolicy, sink: IO[bytes]) -> None:
        self.program = program
        self.deaths = 0
        self.last_status: int | None = None
        self.ended_pids: list[int] = []
        self._policy = policy
        self._sink = sink
        self._deaths_in_a_row = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._relay: OutputRelay | None = None
        self._started_at = 0.0
        self._restart_at: float | None = None

    @property
    def process(self) -> subprocess.Popen[bytes] | None:
        """The running process, if there is one."""
        return self._process

    def start(self, now: float) -> None:
        """Start it. Raises OSError if this Python cannot be run; a bad program merely dies."""
        self._process = start_mortal(
            self.program.command,
            death_signal=signal.SIGKILL,
            env=self.program.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=self.program.pass_fds,
        )
        assert self._process.stdout is not None
        self._relay = OutputRelay(self._process.stdout, self._sink)
        self._started_at = now
        self._restart_at = None

    def tend(self, now: float) -> int | None:
        """Note a death, whose status is returned, and start again when the wait is over."""
        status = self._note_death(now)
        if status is not None:
            self._restart_at = now + self._policy.delay(self._deaths_in_a_row)
        elif self._restart_at is not None and now >= self._restart_at:
            self.start(now)
        return status

    def request_stop(self) -> None:
        """Ask the whole group to end; it will not be started again."""
        self._restart_at = None
        self._signal_group(signal.SIGTERM)

    def runs(self, now: float) -> bool:
        """Whether it runs at this moment; a death is noted, not mended."""
        self._note_death(now)
        return self._process is not None

    def kill(self, now: float) -> None:
        """End the whole group without asking."""
        self._restart_at = None
        if self._process is not None:
            self._signal_group(signal.SIGKILL)
            self._process.wait()
            self._note_death(now)

    def last_lines(self) -> str:
        """The last it said, in its latest life."""
        return "" if self._relay is None else self._relay.last_lines()

    def _note_death(self, now: float) -> int | None:
        if self._process is None or (status := self._process.poll()) is None:
            return None
        self._signal_group(signal.SIGKILL)  # whom it left behind
        long_lived = now - self._started_at >= self._policy.stable_after
        self._deaths_in_a_row = 1 if long_lived else self._deaths_in_a_row + 1
        self.deaths += 1
        self.last_status = status
        self.ended_pids.append(self._process.pid)
        self._process = None
        return status

    def _signal_group(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        try:
            os.killpg(self._process.pid, number)
        except ProcessLookupError:
            return  # nobody is left in it
