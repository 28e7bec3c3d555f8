"""A tenant runs no more at once than it may; what it may not run holds up nobody."""

import asyncio
from collections import Counter
from random import Random
from uuid import UUID

import pytest

from services.training import tables
from services.training.queue.claim import Rules
from services.training.queue.task import Priority
from tests.queue.real_queue import EXPIRED, Queue

THREE = Rules(most_running=3)


async def test_a_tenant_at_its_cap_waits_until_one_of_its_own_has_ended(
    queue: Queue, tenant_id: UUID
) -> None:
    await queue.put(tenant_id, 9)
    running = await queue.claim(slots=9, rules=THREE)
    assert len(running) == 3
    assert await queue.claim(slots=9, rules=THREE) == []
    await queue.end(running[0])
    assert len(await queue.claim(slots=9, rules=THREE)) == 1


async def test_the_cap_counts_what_other_workers_run_and_what_they_claim_just_now(
    queue: Queue, tenant_id: UUID
) -> None:
    other = await queue.tenant()
    for each in (tenant_id, other):
        await queue.put(each, 40)
    for _ in range(5):
        rounds = (queue.claim(slots=2, worker=f"w{at}", rules=THREE) for at in range(8))
        claims = [claim for claimed in await asyncio.gather(*rounds) for claim in claimed]
        claims += await queue.claim(slots=9, rules=THREE)
        assert Counter(claim.tenant_id for claim in claims) == {tenant_id: 3, other: 3}
        for claim in claims:
            await queue.end(claim)


async def test_the_operators_terms_go_before_what_is_usual(queue: Queue, tenant_id: UUID) -> None:
    more, none = await queue.tenant(), await queue.tenant()
    await queue.grant(more, most_running=5)
    await queue.grant(none, most_running=0)
    for each in (tenant_id, more, none):
        await queue.put(each, 9)
    claims = await queue.claim(slots=27, rules=THREE)
    assert Counter(claim.tenant_id for claim in claims) == {tenant_id: 3, more: 5}


async def test_a_capped_tenants_backlog_hides_nobodys_task(queue: Queue, tenant_id: UUID) -> None:
    """However long it is, and though all of it comes first."""
    await queue.put(tenant_id, 300)
    last = await queue.tenant()
    await queue.put(last, cost=1e6)
    mine = await queue.put_one(last)
    await queue.claim(slots=4, rules=THREE)
    assert [claim.id for claim in await queue.claim(slots=4, rules=THREE)] == [mine]


async def test_other_kinds_do_not_count(queue: Queue, tenant_id: UUID) -> None:
    await queue.put(tenant_id, 5)
    await queue.put(tenant_id, 1, kind="sweep")
    assert len(await queue.claim(slots=9, rules=THREE)) == 3
    assert len(await queue.claim(slots=9, kind="sweep", rules=THREE)) == 1


async def test_a_lease_that_ran_out_makes_room(queue: Queue, tenant_id: UUID) -> None:
    await queue.put(tenant_id, 9)
    lost = await queue.claim(slots=3, lease=EXPIRED, rules=THREE)
    again = await queue.claim(slots=9, rules=THREE)
    assert {claim.id for claim in again} == {claim.id for claim in lost}


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_is_claimed_is_what_a_walk_along_the_whole_queue_would_take(
    queue: Queue, tenant_id: UUID, seed: int
) -> None:
    random = Random(seed)
    tenants = [tenant_id, *[await queue.tenant() for _ in range(5)]]
    caps: dict[UUID, int] = {}
    for each in tenants[:4]:
        caps[each] = random.randrange(4)
        await queue.grant(each, most_running=caps[each], weight=random.choice([0.5, 1, 3]))
    for _ in range(40):
        for _ in range(random.randrange(3)):
            await queue.put(
                random.choice(tenants),
                random.choice([1, 2, 40]),
                priority=random.choice(list(Priority)),
                cost=random.choice([0.5, 1.0, 7.0]),
            )
        rows = [row for each in tenants for row in await queue.rows(each)]
        slots = random.randrange(1, 6)
        expected = walk(rows, slots, {each: caps.get(each, 3) for each in tenants})
        claims = await queue.claim(slots=slots, rules=THREE)
        assert {claim.id for claim in claims} == expected
        for claim in claims:
            if random.random() < 0.7:
                await queue.end(claim)


def walk(rows: list[tables.Task], slots: int, caps: dict[UUID, int]) -> set[int]:
    running = Counter(row.tenant_id for row in rows if row.state == "running")
    taken: set[int] = set()
    for row in sorted(rows, key=lambda row: (row.priority, row.start_tag, row.id)):
        if (
            row.state == "queued"
            and len(taken) < slots
            and running[row.tenant_id] < caps[row.tenant_id]
        ):
            running[row.tenant_id] += 1
            taken.add(row.id)
    return taken
