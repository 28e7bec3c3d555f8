"""Start programs that do not outlive this process."""

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, assert_never

from shared.processes import launch

Stream = int | IO[bytes] | None


@dataclass(frozen=True, slots=True)
class SameUser:
    """The program runs as the user of this process."""


@dataclass(frozen=True, slots=True)
class OwnNamespace:
    """It runs as an ordinary user inside a user namespace, and as this process's user outside."""


@dataclass(frozen=True, slots=True)
class OtherUser:
    """It runs as this user and group; only root can ask for it."""

    uid: int
    gid: int


Identity = SameUser | OwnNamespace | OtherUser
SAME_USER = SameUser()


def launch_command(
    command: Sequence[str], death_signal: signal.Signals, identity: Identity = SAME_USER
) -> list[str]:
    """The command line that runs `command` and sends it `death_signal` when this process dies."""
    program, *arguments = command
    return [
        *(sys.executable, "-I", "-S", str(Path(launch.__file__).resolve())),
        *(str(os.getpid()), str(int(death_signal)), _word(identity)),
        *(shutil.which(program) or program, *arguments),
    ]


def start_mortal(
    command: Sequence[str],
    *,
    death_signal: signal.Signals,
    env: Mapping[str, str],
    identity: Identity = SAME_USER,
    stdout: Stream = None,
    stderr: Stream = None,
    cwd: Path | None = None,
    pass_fds: tuple[int, ...] = (),
) -> subprocess.Popen[bytes]:
    """Start `command` in a session of its own; it gets `death_signal` when this process dies.

    Raises RuntimeError outside the main thread: Linux sends the signal when the *thread* that
    started the program ends. Other systems send none. Interrupts of a terminal do not reach it.
    """
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError(
            f"{command[0]} must be started from the main thread: it is tied to the life of the "
            f"thread that starts it, and {threading.current_thread().name} may end sooner"
        )
    return subprocess.Popen(  # noqa: S603 - the callers' own programs; no shell
        launch_command(command, death_signal, identity),
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        env=dict(env),
        cwd=cwd,
        pass_fds=pass_fds,
        start_new_session=True,
    )


def _word(identity: Identity) -> str:
    match identity:
        case SameUser():
            return "same"
        case OwnNamespace():
            return "namespace"
        case OtherUser(uid, gid):
            return f"{uid}:{gid}"
        case _:
            assert_never(identity)
