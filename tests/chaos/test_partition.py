"""A worker that is cut off silently ends its own work before anybody else may have it."""

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from shared.roles import API, WORKER
from tests.chaos.crew import Crew, Hand
from tests.chaos.database import Database
from tests.chaos.ledger import Ledger, make_ledger, read_ledger
from tests.chaos.orders import put_in_one
from tests.chaos.partition import Corner, NotAllowed, corner, network_dsn, start_on_the_network
from tests.chaos.run import ROOT
from tests.chaos.worker import Post
from tests.process_life import runs

LEASE_SECONDS, RENEW_SECONDS = 8.0, 2.0
PATIENCE_SECONDS = 90.0


@dataclass
class Partition:
    """Two workers on one database, one of them behind the wire."""

    wire: Corner
    database: Database
    folder: Path
    crew: Crew = field(init=False)

    def __post_init__(self) -> None:
        self.crew = Crew(self.database.dsn(WORKER), self.folder, ROOT, size=0)

    def start(self, name: str, *, cut_off: bool) -> Hand:
        dsn = self.database.dsn(WORKER)
        there = network_dsn(dsn) if cut_off else dsn
        post = Post(name, there, str(self.folder), 1, LEASE_SECONDS, RENEW_SECONDS)
        hand = self.crew.start(post, self.wire.enter if cut_off else ())
        until(lambda: hand.ready)
        return hand

    def order(self, seconds: float) -> None:
        self.database.run(put_in_one(self.database.dsn(API), seconds))

    def count(self, table: str) -> int:
        found: int = self.database.ask(f"SELECT count(*) FROM {table}")[0][0]
        return found


@pytest.fixture
def partition() -> Iterator[Partition]:
    with tempfile.TemporaryDirectory(prefix="morrow-chaos-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        (folder / "crew").mkdir()
        try:
            with corner() as wire:
                database = Database(folder / "pg", start_on_the_network)
                made = Partition(wire, database, folder / "crew")
                try:
                    make_ledger(database)
                    yield made
                finally:
                    made.crew.kill_all()
                    database.close()
        except NotAllowed as reason:
            pytest.skip(str(reason))


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.timeout(300)
def test_a_worker_cut_off_ends_its_work_before_another_has_it_and_publishes_nothing(
    partition: Partition,
) -> None:
    lonely = partition.start("lonely", cut_off=True)
    partition.order(seconds=15)
    until(lambda: partition.count("claims_seen") == 1 and lonely.children())
    [child] = lonely.children()
    other = partition.start("other", cut_off=False)
    partition.wire.cut()
    until(lambda: partition.count("claims_seen") == 2)
    assert not runs(child)
    until(lambda: partition.count("effects") == 1)
    partition.wire.mend()
    other.process.terminate()
    assert other.process.wait(PATIENCE_SECONDS) == 0
    partition.order(seconds=0.01)
    until(lambda: partition.count("effects") == 2)
    said = lonely.post.log.read_text()
    first_words = [said.index(word) for word in ("lock_connection_lost", "listener_lost")]
    assert min(first_words) > 0
    assert flawless(read_ledger(partition.database, partition.folder))


def flawless(ledger: Ledger) -> bool:
    """Each of the two tasks has the one effect of its last claim."""
    faults = (ledger.lost, ledger.double_effects, ledger.stale_accepted, ledger.wrong_answers)
    return faults == (0, 0, 0, 0)
