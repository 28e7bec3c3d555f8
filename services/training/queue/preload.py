"""Imported first by the fork server, which lives in the worker's process group: a SIGTERM to the
group must drain the worker, not end the children it is waiting for. It ends when its worker has,
however that came, and takes its children and all that they started along."""

import atexit
import os
import signal
from contextlib import suppress
from pathlib import Path

FORK_SERVER = os.getpid()


def end_the_children() -> None:
    """Children inherit this, and are not meant."""
    if os.getpid() != FORK_SERVER:
        return
    for child in Path(f"/proc/self/task/{FORK_SERVER}/children").read_text().split():
        with suppress(ProcessLookupError):
            os.kill(int(child), signal.SIGKILL)  # one that leads no group yet
            os.killpg(int(child), signal.SIGKILL)


signal.signal(signal.SIGTERM, signal.SIG_IGN)
atexit.register(end_the_children)
