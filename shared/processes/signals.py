"""Signals as something to wait for, in the main thread."""

import os
import select
import signal
from types import FrameType
from typing import Self

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class SignalInbox:
    """Counts requests to stop, and wakes from `wait` at one or at the death of a child.

    SIGHUP stays ignored if it was, which is what `nohup` asks for; SIGINT does not, because every
    shell script ignores it for what it starts in the background. The handlers of before are back
    at the end.
    """

    def __init__(self) -> None:
        self.stop_requests = 0
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(self._write, False)

    def __enter__(self) -> Self:
        self._before_fd = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        self._before = {signal.SIGCHLD: signal.signal(signal.SIGCHLD, _wake)}
        for number in STOP_SIGNALS:
            if (number, signal.getsignal(number)) != (signal.SIGHUP, signal.SIG_IGN):
                self._before[number] = signal.signal(number, self._count)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._before_fd)
        os.close(self._read)
        os.close(self._write)

    def wait(self, seconds: float) -> None:
        """Return at a signal that came since the last call, or after `seconds`."""
        readable, _, _ = select.select([self._read], [], [], seconds)
        if readable:
            os.read(self._read, 4096)

    def _count(self, number: int, frame: FrameType | None) -> None:
        self.stop_requests += 1


def _wake(number: int, frame: FrameType | None) -> None:
    """The wake-up descriptor has told already; without a handler it would not."""
