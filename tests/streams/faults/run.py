"""A whole run: a database, API processes, a crowd, the faults, and the reckoning."""

import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from shared.roles import API, WORKER
from tests.chaos.database import Database
from tests.streams.faults.account import Account
from tests.streams.faults.crowd import Crowd, crowd_on
from tests.streams.faults.fleet import Fleet
from tests.streams.faults.outcome import Outcome, Plan, compare, errors_in
from tests.streams.faults.schedule import Fault, Kind, schedule
from tests.streams.faults.strikes import Striker

HOST = "127.0.0.1"
TICK_SECONDS = 0.02
START_SECONDS = 60.0
LAST_SEQS = "SELECT id, last_seq FROM jobs"


class NotReady(Exception):
    """What a run stands on did not come about."""


@dataclass
class Run:
    plan: Plan
    database: Database
    fleet: Fleet
    crowd: Crowd
    striker: Striker
    dealt: Counter[Kind] = field(default_factory=Counter)
    waited_for: Sequence[Account] = ()
    began: float = field(default_factory=time.monotonic)

    def go(self) -> Outcome:
        """Each step once the one before has come about, or else only the reckoning."""
        for step in (self._begin, self._settle, self._end_lonely, self._end_others):
            step()
            if self.waited_for:
                break
        return self._reckon()

    def _begin(self) -> None:
        self.crowd.begin(self.plan.watchers, self.plan.slow, self.plan.seconds)
        self._wait_for(self.crowd.not_there, START_SECONDS)

    def _settle(self) -> None:
        """After the faults; from here on no restart makes good for what a stream has not heard."""
        self._under_faults(schedule(self.plan.seed, self.plan.seconds, self.plan.faults))
        self.crowd.stop_writing()
        make_whole(self.fleet)
        self._wait_for(self._behind, START_SECONDS)

    def _end_lonely(self) -> None:
        self.crowd.end_lonely()
        self._wait_for(self.crowd.lonely, self.plan.patience)

    def _end_others(self) -> None:
        """The last event, of which nobody hears: who listens is cut off, and no bell is rung."""
        self.crowd.end_others()
        self.striker.deafen()
        self._wait_for(self.crowd.incomplete, self.plan.patience)

    def _under_faults(self, faults: list[Fault]) -> None:
        """Each once its time has come and there is a victim."""
        began = time.monotonic()
        while (now := time.monotonic() - began) < self.plan.seconds or (
            faults and now < self.plan.seconds + START_SECONDS
        ):
            self._keep_up()
            if faults and faults[0].after <= now and self.striker.strike(faults[0]):
                self.dealt[faults.pop(0).kind] += 1
            else:
                time.sleep(TICK_SECONDS)

    def _wait_for(self, late: Callable[[], Sequence[Account]], seconds: float) -> None:
        """Until nobody is late any more; who is after so many seconds was waited for in vain."""
        deadline = time.monotonic() + seconds
        while (waited_for := late()) and time.monotonic() < deadline:
            self._keep_up()
            time.sleep(TICK_SECONDS)
        self.waited_for = waited_for

    def _keep_up(self) -> None:
        self.fleet.keep_up()
        self.striker.thaw()
        self.crowd.check()

    def _behind(self) -> list[Account]:
        last = {str(row["id"]): row["last_seq"] for row in self.database.look(LAST_SEQS) or []}
        return [
            account
            for account in self.crowd.accounts
            if not account.connected or account.last != last.get(account.job)
        ]

    def _reckon(self) -> Outcome:
        self.striker.thaw(all_of_them=True)
        last_seqs = [row["last_seq"] for row in self.database.ask(LAST_SEQS)]
        told = compare(self.crowd.accounts, self.crowd.read_logs(), last_seqs)
        self.crowd.leave()
        self.fleet.end()
        return Outcome(
            watchers=dict(Counter(account.kind for account in self.crowd.accounts)),
            told=told,
            waited_for=dict(Counter(account.kind for account in self.waited_for)),
            dealt={kind.value: count for kind, count in sorted(self.dealt.items())},
            unasked=dict(self.fleet.unasked),
            errors=errors_in(self.fleet.logs()),
            seconds=round(time.monotonic() - self.began, 1),
        )


@contextmanager
def opened(plan: Plan) -> Iterator[Run]:
    """A run about to go; whatever becomes of it, nothing of it is left."""
    with tempfile.TemporaryDirectory(prefix="morrow-streams-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        (folder / "api").mkdir()
        database = Database(folder / "pg")
        fleet = Fleet(database.dsn(API), folder / "api", plan.apis)
        striker = Striker(fleet, database)
        try:
            make_whole(fleet)
            with crowd_on(database.dsn(WORKER), HOST, fleet.port, plan.seed) as crowd:
                yield Run(plan, database, fleet, crowd, striker)
        finally:
            striker.thaw(all_of_them=True)
            fleet.end()
            database.close()


def make_whole(fleet: Fleet) -> None:
    """Returns once every process of it serves. Raises NotReady."""
    deadline = time.monotonic() + START_SECONDS
    while not fleet.is_whole:
        fleet.keep_up()
        if time.monotonic() > deadline:
            raise NotReady("\n".join(fleet.logs()))
        time.sleep(TICK_SECONDS)
