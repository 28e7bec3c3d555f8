"""`morrow up`, run as a child for as long as it is needed."""

import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE, Popen

from services.training.commands.failures import WorkFailed
from services.training.up.address import PortTaken, free_port
from services.training.up.options import CLI
from shared.processes.mortal import start_mortal

HOST = "127.0.0.1"
READY = b"ready "
TOLD_LINES = 15


class Ended(WorkFailed):
    """`morrow up` ended by itself."""

    def __init__(self, status: int, log: Path) -> None:
        last = "\n".join(log.read_text(errors="replace").splitlines()[-TOLD_LINES:])
        super().__init__(
            "morrow_ended", f"`morrow up` ended with status {status}; {log} ends with:\n{last}"
        )


@dataclass(frozen=True, slots=True)
class EmbeddedMorrow:
    """A Morrow that is ready at `url`; its log goes to the file `log`."""

    url: str
    log: Path
    process: Popen[bytes]

    def stay(self) -> None:
        """Wait until interrupted. Raises Ended when it ends by itself."""
        raise Ended(self.process.wait(), self.log)


@contextmanager
def embedded_morrow(
    data_dir: Path, port: int, environ: Mapping[str, str]
) -> Iterator[EmbeddedMorrow]:
    """Everything of `morrow up` in `data_dir`, stopped at the end and with this process.

    Any free port if `port` is taken. To be called from the main thread. Raises Ended if
    it does before it is ready.
    """
    data_dir.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
    log = data_dir / "up.log"
    arguments = ("--host", HOST, "--port", str(_free_port(port)), "--data-dir", str(data_dir))
    with open(log, "wb", opener=_private) as errors:
        process = start_mortal(
            (*CLI, "up", *arguments),
            death_signal=signal.SIGTERM,
            env=environ,
            stdout=PIPE,
            stderr=errors,
        )
    try:
        yield EmbeddedMorrow(_ready_url(process, log), log, process)
    finally:
        _stop(process)


def _free_port(wanted: int) -> int:
    try:
        return free_port(HOST, wanted)
    except PortTaken:
        return free_port(HOST, 0)


def _ready_url(process: Popen[bytes], log: Path) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(READY):
            return line.removeprefix(READY).decode().strip()
    raise Ended(process.wait(), log)


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
