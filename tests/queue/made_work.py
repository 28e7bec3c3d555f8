"""What the children of the tests are given to do. It is imported by name in the child."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

Report = Callable[[Any], None]


def double(number: int, report: Report) -> int:
    return 2 * number


def report_twice(words: tuple[str, str], report: Report) -> str:
    for word in words:
        report(word)
    return " ".join(words)


def end_by_signal(number: int, report: Report) -> None:
    os.kill(os.getpid(), number)
    time.sleep(60)


def leave(status: int, report: Report) -> None:
    os._exit(status)


def raise_value_error(message: str, report: Report) -> None:
    raise ValueError(message)


def take_memory(size: int, report: Report) -> int:
    return len(bytearray(size))


def answer_with_what_cannot_be_sent(_: None, report: Report) -> object:
    return lambda: None


def sleep(seconds: float, report: Report) -> str:
    report(os.getpid())
    time.sleep(seconds)
    return "slept"


def sleep_with_a_grandchild(seconds: float, report: Report) -> None:
    grandchild = subprocess.Popen(["sleep", str(seconds)])
    report((os.getpid(), grandchild.pid))
    time.sleep(seconds)


def session_of(_: None, report: Report) -> tuple[int, int]:
    return os.getpid(), os.getsid(0)


def niceness(_: None, report: Report) -> int:
    return os.nice(0)


def threads_of_numeric_libraries(_: None, report: Report) -> set[str | None]:
    return {os.environ.get(f"{name}_NUM_THREADS") for name in ("OMP", "OPENBLAS", "MKL")}


def ignores_termination(_: None, report: Report) -> bool:
    return signal.getsignal(signal.SIGTERM) is signal.SIG_IGN


def burn(seconds: float, report: Report) -> None:
    """Of the processor's time, half of it in a process of its own."""
    _spin(seconds / 2)
    subprocess.run([sys.executable, "-c", f"{SPIN}\nspin({seconds / 2})"], check=True)
    report(os.getpid())


def burn_for_ever(_: None, report: Report) -> None:
    """After a second it says so."""
    _spin(1.0)
    report(os.getpid())
    while True:
        pass


SPIN = """
import time
def spin(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass
"""


def _spin(seconds: float) -> None:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass
