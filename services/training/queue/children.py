"""Slots: each runs one child process that survives from call to call, and can be killed.

A child is started by a fork server that has the heavy imports loaded already, and leads a process
group of its own, so that whatever it starts dies with it. The fork server ends with its worker, and
ends every such group before: a child that hangs, or is stopped, cannot be asked to.
"""

import asyncio
import contextlib
import ctypes
import os
import resource
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import forkserver, get_context
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from typing import Any, Protocol

from services.training.queue.cpu_time import cpu_seconds, cpu_seconds_of_session
from services.training.queue.task import TaskError

Report = Callable[[Any], None]
Work = Callable[[Any, Report], Any]

PR_SET_PDEATHSIG = 1
PRELOADED_FIRST = "services.training.queue.preload"
SINGLE_THREADED = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class ChildDied(TaskError):
    """The child ended without an answer: by a signal, an exit, or its deadline."""

    def __init__(self, cause: str, message: str) -> None:
        super().__init__(f"child_{cause}", message)
        self.cause = cause


class ChildRaised(TaskError):
    """The work raised in the child; `kind` names the exception's type."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__("child_raised", f"{kind}: {message}")
        self.kind = kind


@dataclass(frozen=True, slots=True)
class ChildLimits:
    """What one child may take: address space in bytes, and how much it yields to others."""

    memory_bytes: int = 4 * 2**30
    niceness: int = 5


@dataclass(frozen=True, slots=True)
class Answer:
    """What a child sends: `progress` any number of times, then `done` or `raised`; `at` this moment
    by the clock that all processes of the machine share."""

    kind: str
    value: Any
    at: float = field(default_factory=time.monotonic)


def fork_server(preload: list[str]) -> ForkServerContext:
    """A context whose children start with `preload` imported, and numeric code single-threaded."""
    for name in SINGLE_THREADED:
        os.environ[name] = "1"
    context = get_context("forkserver")
    context.set_forkserver_preload([PRELOADED_FIRST, *preload])
    return context


class ChildSlot(Protocol):
    """Room for one child, wherever it runs; what each promises is told at `Slot`."""

    cpu_seconds: float
    heard_at: float

    async def run(self, work: Work, argument: Any, on_progress: Report, seconds: float) -> Any: ...

    def kill(self) -> None: ...

    def close(self) -> None: ...


class Slot:
    """Room for one child. `run` starts it when there is none.

    `cpu_seconds` is what its children and all that these started have used so far, by the kernel's
    count; of a child that dies of itself what it had used at its last word. `heard_at` is when the
    last word was said, by the monotonic clock."""

    def __init__(self, context: ForkServerContext, limits: ChildLimits) -> None:
        self._context = context
        self._limits = limits
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="slot")
        self._child: ForkServerProcess | None = None
        self._pipe: Connection[Any, Any] | None = None
        self._counted = 0.0
        self.cpu_seconds = 0.0
        self.heard_at = 0.0

    async def run(self, work: Work, argument: Any, on_progress: Report, seconds: float) -> Any:
        """The value of `work(argument, report)`, computed in the child within `seconds`.

        Raises `ChildDied` or `ChildRaised`. When cancelled the child is killed first, so that
        no one is left working once this has returned.
        """
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(seconds):
                pipe = await loop.run_in_executor(self._reader, self._ready_pipe)
                await loop.run_in_executor(self._reader, pipe.send, (work, argument))
                while True:
                    answer = await loop.run_in_executor(self._reader, pipe.recv)
                    self._count()
                    self.heard_at = answer.at
                    if answer.kind == "progress":
                        on_progress(answer.value)
                    else:
                        return _value(answer)
        except TimeoutError:
            self.kill()
            raise ChildDied("deadline", f"the child did not answer in {seconds:g} s") from None
        except (EOFError, BrokenPipeError, ConnectionResetError):
            raise ChildDied(*self._obituary()) from None
        except ChildRaised:
            raise
        except BaseException:
            self.kill()  # else what it is at would be taken for the answer to the next call
            raise

    def kill(self) -> None:
        """Kill the child and all it started, and wait until it is gone."""
        child, self._child = self._child, None
        if child is None:
            return
        assert child.pid is not None, "a child is kept only once it was started"
        self._count_of(child.pid, cpu_seconds_of_session)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.kill()
        child.join()
        child.close()

    def close(self) -> None:
        self.kill()
        self._reader.shutdown(wait=True)
        self.kill()  # one that was being started meanwhile
        if self._pipe is not None:
            self._pipe.close()

    def _ready_pipe(self) -> "Connection[Any, Any]":
        if self._child is None or not self._child.is_alive() or self._pipe is None:
            ours, theirs = self._context.Pipe()
            child = self._context.Process(target=_serve, args=(theirs, self._limits), daemon=True)
            child.start()
            theirs.close()
            self._child, self._pipe, self._counted = child, ours, 0.0
        return self._pipe

    def _count(self) -> None:
        if self._child is not None and self._child.pid is not None:
            self._count_of(self._child.pid, cpu_seconds)

    def _count_of(self, pid: int, used_by: Callable[[int], float]) -> None:
        """Add what this child used since it was last counted."""
        used = used_by(pid)
        self.cpu_seconds += max(0.0, used - self._counted)
        self._counted = max(used, self._counted)

    def _obituary(self) -> tuple[str, str]:
        child = self._child
        if child is None:
            return "killed", "the child was killed"
        child.join(timeout=5)
        code = child.exitcode
        self.kill()
        if code is not None and code < 0:
            return "signal", f"the child was ended by {signal.Signals(-code).name}"
        return "exit", f"the child ended with status {code}"


def _value(answer: Answer) -> Any:
    if answer.kind == "raised":
        raise ChildRaised(*answer.value)
    return answer.value


def _serve(pipe: "Connection[Any, Any]", limits: ChildLimits) -> None:
    """The child: answer calls until the pipe closes."""
    _settle_in(limits)
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            work, argument = pipe.recv()
            pipe.send(_answer(work, argument, lambda value: pipe.send(Answer("progress", value))))


def _settle_in(limits: ChildLimits) -> None:
    os.setsid()
    _let_the_fork_server_end()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.nice(limits.niceness)
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, limits.memory_bytes))


def _let_the_fork_server_end() -> None:
    """It lives for as long as anybody holds this, and every child is given it: none could be ended
    by the end of the fork server, which would wait for the child."""
    inherited = vars(forkserver._forkserver)
    os.close(inherited["_forkserver_alive_fd"])
    inherited["_forkserver_alive_fd"] = None


def _answer(work: Work, argument: Any, report: Report) -> Answer:
    try:
        return Answer("done", work(argument, report))
    except Exception as error:  # noqa: BLE001 - whatever the work raises is its answer
        return Answer("raised", (type(error).__name__, str(error)[:2000]))
