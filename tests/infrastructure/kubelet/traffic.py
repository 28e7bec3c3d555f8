"""So many requests a second, whatever becomes of those before: reads, and sales that are told."""

import asyncio
import datetime as dt
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from itertools import count
from random import Random

from tests.infrastructure.kubelet.caller import Caller, NoAnswer
from tests.infrastructure.kubelet.jobs import Jobs
from tests.infrastructure.kubelet.tally import Tally
from tests.infrastructure.kubelet.tenant import PRODUCTS, Tenant

MOST_AT_ONCE = 64
"""More are not asked before some are answered, as on a machine that cannot answer so many a second;
`held_up` counts those that were asked later than they were due."""
FIRST_DAY = dt.date(2012, 1, 1)
DAYS_OF_A_TILL = 3000
READS = (
    "/forecasts?product={product}&days=7",
    "/training-jobs?limit=5",
    "/models?limit=5",
    "/tenant",
)
WRITES_SHARE = 0.25


@dataclass(slots=True)
class Traffic:
    """`job_seconds` go by between two jobs that are begun; at most `most_jobs` are open."""

    caller: Caller
    tenants: Sequence[Tenant]
    tally: Tally
    jobs: Jobs
    rate: float
    job_seconds: float
    most_jobs: int
    random: Random
    held_up: int = 0
    _numbers: "count[int]" = field(default_factory=count)
    _under_way: set[asyncio.Task[None]] = field(default_factory=set)

    async def run(self) -> None:
        """Until cancelled."""
        await asyncio.gather(self._ask_on(), self._begin_jobs())

    async def all_answered(self) -> None:
        while self._under_way:
            await asyncio.wait(set(self._under_way))

    async def _ask_on(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due += 1 / self.rate
            await asyncio.sleep(due - loop.time())
            if len(self._under_way) >= MOST_AT_ONCE:
                self.held_up += 1
                await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)
                due = loop.time()
            self._begin(self._one(due))

    async def _begin_jobs(self) -> None:
        for number in count():
            if self.jobs.open < self.most_jobs:
                self._begin(self.jobs.begin(self.tenants[number % len(self.tenants)]))
            await asyncio.sleep(self.job_seconds)

    def _begin(self, asking: Coroutine[None, None, None]) -> None:
        """It goes on when no more is asked."""
        task = asyncio.create_task(asking)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _one(self, due: float) -> None:
        """Its time counts from when it was due."""
        tenant, phase = self.random.choice(self.tenants), self.tally.phase
        writes = self.random.random() < WRITES_SHARE
        kind = "write" if writes else "read"
        try:
            status, said = await (self._write(tenant) if writes else self._read(tenant))
        except NoAnswer as error:
            self.tally.fail(kind, "no answer", str(error))
        else:
            if status == 200:
                self.tally.answered(kind, phase, asyncio.get_running_loop().time() - due)
            else:
                self.tally.fail(kind, str(status), said)

    async def _read(self, tenant: Tenant) -> tuple[int, str]:
        path = self.random.choice(READS).format(product=self.random.choice(PRODUCTS))
        answer = await self.caller.ask("GET", path, tenant.key)
        return answer.status, "" if answer.status == 200 else f"{path}: {answer.content!r}"

    async def _write(self, tenant: Tenant) -> tuple[int, str]:
        """A row of its own, so that what was acknowledged can be looked for."""
        till, day = divmod(next(self._numbers), DAYS_OF_A_TILL)
        product, date = f"till-{till}", (FIRST_DAY + dt.timedelta(days=day)).isoformat()
        row = {"date": date, "product": product, "location": "main", "quantity": 1}
        answer = await self.caller.ask("POST", "/sales", tenant.key, {"rows": [row]})
        if answer.status == 200:
            tenant.written.add((product, date))
        return answer.status, answer.content.decode(errors="replace")
