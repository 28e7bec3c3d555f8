"""Killed at any point, the API loses nothing that it acknowledged and applies nothing twice."""

import random
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field

import httpx
import pytest

from tests.processes import Programs
from tests.spool.outage import Clients, Server, Shop, row, until

DOOMED = "tests.spool.doomed_api"
SOUND = "services.training.cli"


@pytest.fixture
def held() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def history(server: Server, shop: Shop, product: str) -> list[float]:
    """Every quantity that was ever stored of the one day of a product, in order."""
    return server.ask(
        "SELECT c.quantity_after FROM sale_corrections c JOIN series s "
        "ON s.tenant_id = c.tenant_id AND s.id = c.series_id "
        "WHERE c.tenant_id = $1 AND s.product = $2 ORDER BY c.id",
        shop.id,
        product,
    )


@pytest.mark.parametrize("doom", ["begun", "written", "named", "answered"])
def test_killed_while_it_keeps_a_batch(
    server: Server, programs: Programs, held: ExitStack, doom: str
) -> None:
    """What was acknowledged before is applied, in order; the batch in hand once, or not at all."""
    programs.module, programs.settings["DOOM"] = DOOMED, doom
    doomed = programs.serve()
    shop = Clients(programs.address, held).shop()
    assert shop.send(row("rye", 1)).status_code == 200
    server.stop()
    with pytest.raises(httpx.TransportError):
        shop.send(row("rye", 2))
    assert doomed.ended() == -9
    server.start()
    programs.module = SOUND
    programs.serve()
    until(lambda: shop.waiting() == 0)
    assert shop.send(row("rye", 3)).status_code == 200
    kept = [2.0] if doom in {"named", "answered"} else []
    assert history(server, shop, "rye") == [*kept, 3.0]
    assert list((programs.folder / "spool" / shop.id).iterdir()) == []


def test_killed_between_the_commit_and_the_removal_of_the_batch(
    server: Server, programs: Programs, held: ExitStack
) -> None:
    programs.module, programs.settings["DOOM"] = DOOMED, "applied"
    doomed = programs.serve()
    shop = Clients(programs.address, held).shop()
    assert shop.send(row("rye", 1)).status_code == 200
    server.stop()
    answers = [shop.send(row("rye", number)) for number in (2, 3)]
    server.start()
    assert doomed.ended() == -9
    assert history(server, shop, "rye") == [2]
    # Applied again it would go back from 9 to 2, and say so.
    server.tell("UPDATE sales SET quantity = 9 WHERE tenant_id = $1", shop.id)
    programs.module = SOUND
    programs.serve()
    until(lambda: shop.waiting() == 0)
    assert history(server, shop, "rye") == [2, 3]
    assert [shop.receipt(answer)["status"] for answer in answers] == ["applied"] * 2


def test_one_process_replays_what_another_left_when_it_was_killed(
    server: Server, programs: Programs, held: ExitStack
) -> None:
    first = programs.serve()
    other = sibling_of(programs)
    try:
        other.serve()
        shop = Clients(programs.address, held).shop()
        through = Clients(other.address, held).known(shop.id, shop.key)
        for opened in (shop, through):
            assert opened.send(row("rye", 1)).status_code == 200
        server.stop()
        kept = [
            opened.send(row("rye", number))
            for number, opened in enumerate((shop, through, shop, through), 2)
        ]
        assert [answer.json()["position"] for answer in kept] == [1, 2, 3, 4]
        first.kill()
        server.start()
        until(lambda: through.waiting() == 0)
        assert history(server, shop, "rye") == [2, 3, 4, 5]
        assert [through.receipt(answer)["status"] for answer in kept] == ["applied"] * 4
    finally:
        other.end_all()


def sibling_of(programs: Programs) -> Programs:
    """Another API on the same host: its own address and logs, the same spool."""
    folder = programs.folder / "sibling"
    folder.mkdir()
    settings = programs.settings | {"MORROW_SPOOL_PATH": str(programs.folder / "spool")}
    return Programs(programs.database, folder, settings)


@dataclass
class Ledger:
    """What one till sent, one after the other, and what it was told."""

    shop: Shop
    acknowledged: list[int] = field(default_factory=list)
    sent: int = 0

    def send(self) -> None:
        self.sent += 1
        try:
            answer = self.shop.send(row("till", self.sent))
        except httpx.TransportError:
            return
        assert answer.status_code in {200, 202, 503}, answer.text
        if answer.status_code != 503:
            self.acknowledged.append(self.sent)

    def check(self, stored: list[float]) -> None:
        assert stored == sorted(set(stored)), "out of order, or twice"
        assert set(self.acknowledged) <= set(stored), "acknowledged and lost"


FAULTS = ("stop", "stop", "kill 0", "kill 1", "kill both")


def test_ledgers_balance_under_random_faults(
    server: Server, programs: Programs, held: ExitStack
) -> None:
    """Two processes, two tills that go to either, and a database that comes and goes."""
    dice = random.Random(20260301)
    fleet = [programs, sibling_of(programs)]
    held.callback(fleet[1].end_all)
    for api in fleet:
        api.serve()
    shops = [Clients(programs.address, held).shop(name=f"Shop {n}") for n in range(2)]
    tills = [
        [Clients(api.address, held).known(shop.id, shop.key) for api in fleet] for shop in shops
    ]
    ledgers = [Ledger(shop) for shop in shops]
    for shop in shops:
        assert shop.send(row("till", 0)).status_code == 200

    def trade(times: int) -> None:
        for _ in range(times):
            which = dice.randrange(2)
            ledgers[which].shop = dice.choice(tills[which])
            ledgers[which].send()

    for _ in range(4):
        trade(9)
        fault = dice.choice(FAULTS)
        server.stop()
        trade(8)
        killed = {"stop": [], "kill 0": [0], "kill 1": [1], "kill both": [0, 1]}[fault]
        for which in killed:
            fleet[which].started[-1].kill()
        trade(4)
        server.start()
        trade(4)
        for which in killed:
            fleet[which].serve()
    until(lambda: all(shop.waiting() == 0 for shop in shops))
    for ledger, shop in zip(ledgers, shops, strict=True):
        ledger.check(history(server, shop, "till"))
        assert len(ledger.acknowledged) > 20
