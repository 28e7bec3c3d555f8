"""Copies of the service, and of those who watch, without some guards: each must fail the run.

Two at a time, to save a run; each has promises of its own that break without it.
"""

from collections.abc import Sequence

from tests.mutants import Mutant

STREAMS, WATCHERS = "services/training/streams", "tests/streams/faults/watchers.py"
NO_POLL = Mutant(f"{STREAMS}/hub.py", "POLL_SECONDS: Final = 3.0", "POLL_SECONDS: Final = 3600.0")
NO_WAKE = Mutant(
    "shared/doorbell/listener.py",
    """        await self._listen_on(connection)
        self._wake_all()
""",
    """        await self._listen_on(connection)
""",
)
NO_DEADLINE = Mutant(
    f"{STREAMS}/watcher.py", "SEND_SECONDS: Final = 5.0", "SEND_SECONDS: Final = 3600.0"
)
READ_FIRST = Mutant(
    f"{STREAMS}/tail.py",
    """        async with self._listener.subscribe(EVENTS_CHANNEL,""",
    """        await self._read_on(since)
        await asyncio.sleep(2)
        async with self._listener.subscribe(EVENTS_CHANNEL,""",
)
THEN_SUBSCRIBE = Mutant(
    f"{STREAMS}/tail.py",
    """            while not self.has_ended:
                rung.clear()
""",
    """            await wait_for_ring(rung, self._poll_seconds)
            while not self.has_ended:
                rung.clear()
""",
)
ONE_LATE = Mutant(WATCHERS, "?since={account.last}", "?since={account.last + bool(account.last)}")
ONE_EARLY = Mutant(
    WATCHERS,
    '"Last-Event-ID": str(account.last)',
    '"Last-Event-ID": str(max(0, account.last - 1))',
)

MUTANTS: dict[str, Sequence[Mutant]] = {
    "no_wake_nor_poll_and_no_deadline": (NO_POLL, NO_WAKE, NO_DEADLINE),
    "replay_before_subscribing_and_resume_from_the_wrong_seq": (
        *(NO_POLL, READ_FIRST, THEN_SUBSCRIBE),
        *(ONE_LATE, ONE_EARLY),
    ),
}
