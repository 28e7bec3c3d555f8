"""A program of Morrow's own, run as a child for as long as it is needed."""

import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE, Popen

from services.training.commands.failures import WorkFailed
from services.training.up.options import CLI
from shared.processes.mortal import start_mortal

READY = b"ready "
TOLD_LINES = 15


class Ended(WorkFailed):
    """The program ended by itself."""

    def __init__(self, command: str, status: int, log: Path) -> None:
        last = "\n".join(log.read_text(errors="replace").splitlines()[-TOLD_LINES:])
        super().__init__(
            "morrow_ended",
            f"`morrow {command}` ended with status {status}; {log} ends with:\n{last}",
        )


@dataclass(frozen=True, slots=True)
class ReadyProgram:
    """`morrow command …` that is ready at `url`; its log goes to the file `log`."""

    command: str
    url: str
    log: Path
    process: Popen[bytes]

    def stay(self) -> None:
        """Wait until interrupted. Raises Ended when it ends by itself."""
        raise Ended(self.command, self.process.wait(), self.log)


@contextmanager
def ready_program(
    command: str, arguments: Sequence[str], log: Path, environ: Mapping[str, str]
) -> Iterator[ReadyProgram]:
    """The program once it is ready; stopped at the end, and with this process.

    To be called from the main thread. Raises Ended if it does before it is ready.
    """
    with open(log, "wb", opener=_private) as errors:
        process = start_mortal(
            (*CLI, command, *arguments),
            death_signal=signal.SIGTERM,
            env=environ,
            stdout=PIPE,
            stderr=errors,
        )
    try:
        yield ReadyProgram(command, _ready_url(command, process, log), log, process)
    finally:
        _stop(process)


def _ready_url(command: str, process: Popen[bytes], log: Path) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(READY):
            return line.removeprefix(READY).decode().strip()
    raise Ended(command, process.wait(), log)


def _stop(process: Popen[bytes]) -> None:
    """Ask it to end and wait; whoever interrupts the waiting asks it to hurry."""
    while process.poll() is None:
        try:
            process.terminate()
            process.wait()
        except KeyboardInterrupt:
            continue


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
