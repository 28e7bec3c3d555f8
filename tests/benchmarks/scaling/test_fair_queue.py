"""The simulated queue hands out what the database's would, in the same order."""

import random
from uuid import UUID

import pytest

from benchmarks.scaling.fair_queue import PATIENCE, FairQueue, Task
from services.training.queue.claim import Rules
from services.training.queue.task import Claim, Priority
from tests.conftest import Database
from tests.queue.real_queue import open_queue

TENANTS = 4
STEPS = 120


def task(number: int, tenant: int = 0, priority: int = 0, cost: float = 1.0) -> Task:
    return Task(number, tenant, "bake", priority, cost, created=0.0)


@pytest.mark.parametrize(("seed", "most_running"), [(1, None), (2, 2), (3, 1)])
async def test_claims_come_in_the_order_of_the_sql(
    database: Database, seed: int, most_running: int | None
) -> None:
    """Batches of several tenants, weights, costs and classes come in while tasks are claimed and
    end, in any order."""
    drawn = random.Random(seed)
    async with open_queue(database) as real:
        tenants: list[UUID] = [await real.tenant() for _ in range(TENANTS)]
        weights = {number: drawn.choice([0.5, 1.0, 3.0]) for number in range(TENANTS)}
        for number, weight in weights.items():
            await real.grant(tenants[number], weight=weight)
        simulated = FairQueue(most_running, weights)
        running: list[tuple[Claim, Task]] = []
        claimed = 0
        for _ in range(STEPS):
            match drawn.choice(["put", "claim", "claim", "claim", "end"]):
                case "put":
                    tenant, cost = drawn.randrange(TENANTS), drawn.choice([1.0, 2.0, 7.0])
                    priority, count = drawn.choice(list(Priority)), drawn.randint(1, 6)
                    ids = await real.put(tenants[tenant], count, priority=priority, cost=cost)
                    simulated.put([task(each, tenant, int(priority), cost) for each in ids])
                case "claim":
                    found = await real.claim(rules=Rules(most_running=most_running))
                    expected = simulated.claim(["bake"], 0.0)
                    assert [each.id for each in found] == ([expected.id] if expected else [])
                    if expected:
                        claimed += 1
                        running.append((found[0], expected))
                case "end" if running:
                    claim, ended = running.pop(drawn.randrange(len(running)))
                    await real.end(claim)
                    simulated.ended(ended)
        assert claimed > 20


def test_what_was_lost_keeps_its_place() -> None:
    queue = FairQueue()
    queue.put([task(1), task(2)])
    first = queue.claim(["bake"], 0.0)
    assert first is not None
    queue.put_back(first)
    assert queue.claim(["bake"], 0.0) is first
    assert len(queue) == 1


def test_every_fifth_claim_is_of_the_class_that_waited_too_long() -> None:
    queue = FairQueue()
    queue.put([task(number, priority=1) for number in range(100)])
    queue.put([task(100 + number, tenant=1) for number in range(100)])
    late = PATIENCE[0] + 1
    taken = [queue.claim(["bake"], late) for _ in range(50)]
    assert sum(each.priority == 1 for each in taken if each) == 10
    prompt = FairQueue()
    prompt.put([task(number, priority=1) for number in range(10)])
    prompt.put([task(10 + number) for number in range(10)])
    assert all(each.priority == 0 for _ in range(10) if (each := prompt.claim(["bake"], 1.0)))


def test_a_kind_that_nobody_asks_for_stays() -> None:
    queue = FairQueue()
    queue.put([task(1)])
    assert queue.claim(["train"], 0.0) is None
    assert (queue.depth(["bake"]), queue.oldest(30.0, ["bake"])) == (1, 30.0)
