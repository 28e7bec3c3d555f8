"""A whole run: a database, a crew, its orders, the faults, and the reckoning."""

import re
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from shared.roles import API, WORKER
from tests.chaos.crew import Crew
from tests.chaos.database import Database
from tests.chaos.ledger import LOCKS_LEFT, Ledger, make_ledger, read_ledger
from tests.chaos.orders import LONG_EVERY, Orders, put_in
from tests.chaos.schedule import Fault, Kind, schedule
from tests.chaos.strikes import strike
from tests.chaos.worker import LEASE_SECONDS

ROOT = Path(__file__).resolve().parents[2]
WORKERS = 3
LOOK_SECONDS = 0.05
MUSTER_SECONDS = 60.0
PATIENCE_SECONDS = 30.0
"""Without a further effect for so long, and nothing that waits for its next attempt, what is left
is lost."""

PROGRESS = """
SELECT count(*) AS effects,
  EXISTS (SELECT 1 FROM tasks WHERE state IN ('queued', 'waiting', 'running')) AS open FROM effects
"""
BACKING_OFF = """
SELECT 1 FROM tasks WHERE state = 'waiting' AND run_after > now() + interval '2 seconds' LIMIT 1
"""
UNFORESEEN = re.compile(r'"event": "(advisory_unlock_refused|task_left_to_its_lease)"')


@dataclass(frozen=True, slots=True)
class Plan:
    """All that decides what happens, but for the machine's own haste."""

    seed: int
    tasks: int
    faults: int
    kinds: tuple[Kind, ...] = tuple(Kind)
    patience: float = PATIENCE_SECONDS
    long_every: int = LONG_EVERY

    @property
    def schedule(self) -> list[Fault]:
        return schedule(self.seed, self.tasks, self.faults, self.kinds)

    @property
    def orders(self) -> Orders:
        return Orders(self.seed, self.tasks, LEASE_SECONDS, self.long_every)

    @property
    def command(self) -> str:
        counts = (
            f"--seed {self.seed} --tasks {self.tasks} --faults {self.faults}"
            f" --long-every {self.long_every}"
        )
        kinds = "" if self.kinds == tuple(Kind) else f" --kinds {' '.join(self.kinds)}"
        return f"python -m tests.chaos {counts}{kinds} --patience {self.patience:g}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """`broken` names each promise that was not kept; none, and the run is passed."""

    ledger: Ledger
    faults: dict[str, int]
    seconds: float
    locks_left: int
    orphans: int
    exits: list[int]
    unforeseen: dict[str, int]

    def broken(self, plan: Plan) -> list[str]:
        ledger = self.ledger
        kept = {
            "every task has its effect": not ledger.lost,
            "no task has two": not ledger.double_effects,
            "no effect of a stale claim stands": not ledger.stale_accepted,
            "every answer is that of its order": not ledger.wrong_answers,
            "what was acknowledged stays": not ledger.acknowledged_and_gone,
            "stale publishes were tried, and refused": ledger.stale_refused > 0,
            "every fault was dealt": sum(self.faults.values()) == plan.faults,
            "no lock is held in the end": not self.locks_left,
            "no process is left in the end": not self.orphans,
            "workers drain when asked": not any(self.exits),
            "no unlock was refused": not self.unforeseen.get("advisory_unlock_refused"),
        }
        return [promise for promise, is_kept in kept.items() if not is_kept]

    def figures(self) -> dict[str, object]:
        ledger = asdict(self.ledger)
        return {**ledger, **{name: getattr(self, name) for name in OTHERS}}


OTHERS = ("faults", "seconds", "locks_left", "orphans", "exits", "unforeseen")


@dataclass
class Run:
    """`on_progress` hears of the tasks that had their effect, and of the faults dealt."""

    plan: Plan
    database: Database
    crew: Crew
    on_progress: Callable[[int, int], None]
    dealt: Counter[Kind] = field(default_factory=Counter)

    def go(self) -> Outcome:
        began = time.monotonic()
        self._until(self._all_at_work, MUSTER_SECONDS)
        self._under_faults(self.plan.schedule)
        self.crew.thaw_all()
        locks_left = self._locks_left()
        self._until(self._all_at_work)
        exits = self.crew.end()
        self._until(lambda: not self.crew.orphans())
        return Outcome(
            ledger=read_ledger(self.database, self.crew.folder),
            faults={kind.value: count for kind, count in sorted(self.dealt.items())},
            seconds=round(time.monotonic() - began, 1),
            locks_left=locks_left,
            orphans=len(self.crew.orphans()),
            exits=exits,
            unforeseen=self._unforeseen(),
        )

    def _under_faults(self, faults: list[Fault]) -> None:
        """Until nothing is open any more, or nothing comes of it."""
        effects, since = 0, time.monotonic()
        while time.monotonic() - since < self.plan.patience:
            self.crew.keep_up()
            if not (found := self.database.look(PROGRESS)):
                continue
            if not found[0]["open"]:
                return
            if found[0]["effects"] > effects or self.database.look(BACKING_OFF):
                effects, since = found[0]["effects"], time.monotonic()
            if not self._deal(faults, effects):
                time.sleep(LOOK_SECONDS)

    def _deal(self, faults: list[Fault], effects: int) -> bool:
        """Whether the next fault was due, and found a victim."""
        self.on_progress(effects, self.dealt.total())
        due = faults and faults[0].after <= effects
        if not due or not strike(faults[0], self.crew, self.database):
            return False
        self.dealt[faults.pop(0).kind] += 1
        return True

    def _locks_left(self) -> int:
        self._until(lambda: self.database.look(LOCKS_LEFT) == [])
        return len(self.database.ask(LOCKS_LEFT))

    def _all_at_work(self) -> bool:
        return len(self.crew.at_work()) == self.crew.size

    def _until(self, condition: Callable[[], bool], seconds: float | None = None) -> None:
        """For half of what patience there is; what follows counts what is left."""
        deadline = time.monotonic() + (seconds or self.plan.patience / 2)
        while not condition() and time.monotonic() < deadline:
            self.crew.keep_up()
            time.sleep(LOOK_SECONDS)

    def _unforeseen(self) -> dict[str, int]:
        logs = (path.read_text() for path in self.crew.folder.glob("*.log"))
        return dict(Counter(name for log in logs for name in UNFORESEEN.findall(log)))


@contextmanager
def opened(
    plan: Plan, tree: Path = ROOT, on_progress: Callable[[int, int], None] = lambda *_: None
) -> Iterator[Run]:
    """A run about to go; whatever becomes of it, nothing of it is left."""
    with tempfile.TemporaryDirectory(prefix="morrow-chaos-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        (folder / "crew").mkdir()
        database = Database(folder / "pg")
        crew = Crew(database.dsn(WORKER), folder / "crew", tree, WORKERS)
        try:
            make_ledger(database)
            database.run(put_in(database.dsn(API), plan.orders))
            database.execute("ANALYZE tasks")  # as the server does by itself a minute later
            yield Run(plan, database, crew, on_progress)
        finally:
            crew.kill_all()
            database.close()
