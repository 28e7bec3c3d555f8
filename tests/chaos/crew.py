"""The worker processes of a run: started, started again, frozen and thawed, ended."""

import contextlib
import os
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from shared.processes.mortal import start_mortal
from tests.chaos.suspension import add_sleep
from tests.chaos.worker import Post
from tests.process_life import children_of, marked

END_SECONDS = 60.0
MARK = "MORROW_CHAOS_RUN"


@dataclass(slots=True)
class Hand:
    """One worker process; `thaw_at` on the monotonic clock while it is frozen."""

    post: Post
    process: "subprocess.Popen[bytes]"
    thaw_at: float | None = None
    asleep_since: float | None = None

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def at_work(self) -> bool:
        return self.ready and self.thaw_at is None

    @property
    def ready(self) -> bool:
        return (
            self.process.poll() is None
            and self.post.journal.exists()
            and self.post.journal.stat().st_size > 0
        )

    def freeze(self, seconds: float, *, suspended: bool) -> None:
        """Stop the worker itself; its children go on. Suspended, it will not know of it."""
        os.kill(self.pid, signal.SIGSTOP)
        now = time.monotonic()
        self.thaw_at = now + seconds
        self.asleep_since = now if suspended else None

    def thaw(self) -> None:
        if self.asleep_since is not None:
            add_sleep(self.post.slept, time.monotonic() - self.asleep_since)
        self.thaw_at = self.asleep_since = None
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGCONT)

    def fork_servers(self) -> list[int]:
        """Those of its children that have children of their own."""
        return [pid for pid in children_of(self.pid) if children_of(pid)]

    def children(self) -> list[int]:
        return [child for server in self.fork_servers() for child in children_of(server)]


@dataclass
class Crew:
    """Always so many workers: who was killed is followed by another at once. `tree` is the folder
    whose code they run."""

    dsn: str
    folder: Path
    tree: Path
    size: int
    hands: list[Hand] = field(default_factory=list)
    started: int = 0

    @property
    def mark(self) -> str:
        return f"{MARK}={self.folder}"

    def keep_up(self) -> None:
        """Thaw whose time has come, and replace whoever has ended."""
        now = time.monotonic()
        for hand in self.hands:
            if hand.thaw_at is not None and hand.thaw_at <= now:
                hand.thaw()
        self.hands = [hand for hand in self.hands if hand.process.poll() is None]
        while len(self.hands) < self.size:
            self.started += 1
            post = Post(f"worker-{self.started}", self.dsn, str(self.folder))
            self.start(post)

    def at_work(self) -> list[Hand]:
        return [hand for hand in self.hands if hand.at_work]

    def thaw_all(self) -> None:
        for hand in self.hands:
            if hand.thaw_at is not None:
                hand.thaw()

    def end(self) -> list[int]:
        """Ask all to drain and wait for it; how they ended. Nobody follows them."""
        self.size = 0
        for hand in self.hands:
            hand.process.send_signal(signal.SIGTERM)
        return [hand.process.wait(END_SECONDS) for hand in self.hands]

    def orphans(self) -> list[int]:
        """Whatever lives of all that was ever started here."""
        return marked(self.mark)

    def kill_all(self) -> None:
        for pid in self.orphans():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for hand in self.hands:
            hand.process.wait()

    def start(self, post: Post, prefix: tuple[str, ...] = ()) -> Hand:
        """A worker at this post, by a command before its own if need be."""
        environment = {**os.environ, MARK: str(self.folder), "PYTHONPATH": str(self.tree)}
        with post.log.open("ab") as log:
            process = start_mortal(
                [*prefix, *post.command],
                death_signal=signal.SIGKILL,
                env=environment,
                stdout=log,
                stderr=log,
                cwd=self.tree,
            )
        hand = Hand(post, process)
        self.hands.append(hand)
        return hand
