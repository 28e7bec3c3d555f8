"""What is to be baked: tasks of several tenants, put in as the API puts them in."""

from dataclasses import dataclass
from random import Random
from uuid import UUID, uuid4

from services.training import tables
from services.training.queue.enqueue import NewTask, enqueue
from services.training.queue.task import Priority
from shared.database import PoolLimits, Sessions, make_engine, make_sessions, tenant_transaction
from shared.roles import API
from tests.chaos.worker import BAKE

TENANTS = 5
BATCH = 500
TASKS_A_LOCK = 10
ATTEMPTS = 1000
"""No task is buried for the faults it met: each must have its effect."""
LONG_EVERY = 150
LONG_LEASES = 1.5


@dataclass(frozen=True, slots=True)
class Orders:
    """How many, and that one in so many outlasts a lease of so many seconds."""

    seed: int
    tasks: int
    lease_seconds: float
    long_every: int = LONG_EVERY


async def put_in(dsn: str, orders: Orders) -> None:
    """Orders of some milliseconds, and now and then one that outlasts a lease."""
    engine = make_engine(dsn, API, PoolLimits(size=1), "chaos-orders")
    sessions = make_sessions(engine)
    random = Random(orders.seed)
    tenants = [await _tenant(sessions) for _ in range(TENANTS)]
    for first in range(0, orders.tasks, BATCH):
        tenant = tenants[first // BATCH % TENANTS]
        numbers = range(first, min(first + BATCH, orders.tasks))
        batch = [_order(random, number, orders) for number in numbers]
        async with tenant_transaction(sessions, tenant) as session:
            await enqueue(session, tenant, batch)
    await engine.dispose()


async def put_in_one(dsn: str, seconds: float) -> None:
    """One order that takes so long, of a tenant of its own."""
    engine = make_engine(dsn, API, PoolLimits(size=1), "chaos-orders")
    sessions = make_sessions(engine)
    tenant = await _tenant(sessions)
    async with tenant_transaction(sessions, tenant) as session:
        await enqueue(session, tenant, [_task("roll", f"lock of {tenant}", seconds)])
    await engine.dispose()


async def _tenant(sessions: Sessions) -> UUID:
    tenant_id = uuid4()
    async with tenant_transaction(sessions, tenant_id) as session:
        session.add(
            tables.Tenant(
                tenant_id=tenant_id,
                name="a bakery",
                slug=tenant_id.hex,
                country="DE",
                timezone="Europe/Berlin",
                plan="standard",
            )
        )
    return tenant_id


def _order(random: Random, number: int, orders: Orders) -> NewTask:
    long = number % orders.long_every == 0
    seconds = LONG_LEASES * orders.lease_seconds if long else random.uniform(0.002, 0.06)
    lock = f"lock {random.randrange(max(1, orders.tasks // TASKS_A_LOCK))}"
    return _task(f"roll {number}", lock, seconds, random.choice(list(Priority)))


def _task(
    subject: str, lock: str, seconds: float, priority: Priority = Priority.INTERACTIVE
) -> NewTask:
    return NewTask(
        group_id=uuid4(),
        kind=BAKE,
        subject=subject,
        payload={"lock": lock, "seconds": seconds},
        priority=priority,
        max_attempts=ATTEMPTS,
    )
