"""The jobs of a run, and who watches them.

*Crowded* jobs share out most of the watchers. One is *thick*: its log is more than a connection
holds, and slow readers are among those who watch it. Each *lonely* one is watched by one alone, who
comes in the end.
"""

import datetime as dt
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import cycle
from random import Random
from typing import Any
from uuid import UUID

import httpx

from morrow import AsyncClient
from tests.streams.faults.account import Account
from tests.streams.faults.author import Job
from tests.streams.faults.fleet import OPERATOR_KEY
from tests.streams.faults.watchers import (
    Place,
    Way,
    by_client,
    by_polling,
    by_server_sent_events,
    by_slow_websocket,
    by_websocket,
)

TENANTS, CROWDED, LONELY = 2, 4, 6
JOBS = CROWDED + 1 + LONELY
BASE = "/api/v1"
BAKERY = {"name": "Bäckerei", "country": "DE", "timezone": "Europe/Berlin", "plan": "unlimited"}
ANY = httpx.Limits(max_connections=None)
CALL_SECONDS = 30.0
WAYS: Sequence[tuple[str, Way, int]] = (
    ("websocket", by_websocket, 9),
    ("sse", by_server_sent_events, 5),
    ("client", by_client, 3),
    ("polling", by_polling, 3),
)
BESIDE_THE_SLOW = 6
LATE_SHARE, LATE_UNTIL, EARLY_SECONDS = 0.25, 0.8, 1.5
"""So many come while the faults strike, the others at the beginning."""


@dataclass(frozen=True, slots=True)
class Seat:
    """One watcher, who comes after so many seconds."""

    job: Job
    way: Way
    place: Place
    account: Account
    after: float = 0.0


@dataclass(frozen=True, slots=True)
class Cast:
    crowded: list[Job]
    thick: Job
    lonely: list[Job]
    places: dict[UUID, Place]

    @property
    def jobs(self) -> list[Job]:
        return [*self.crowded, self.thick, *self.lonely]

    def crowd(self, watchers: int, slow: int, seconds: float, random: Random) -> list[Seat]:
        """Everybody but the lonely."""
        ways = [(kind, way) for kind, way, share in WAYS for _ in range(share)]
        random.shuffle(ways)
        seats = [self._seat(self.thick, "slow_websocket", by_slow_websocket) for _ in range(slow)]
        for number in range(watchers - slow - LONELY):
            late = random.random() < LATE_SHARE
            after = random.uniform(0, seconds * LATE_UNTIL if late else EARLY_SECONDS)
            spread = number - BESIDE_THE_SLOW
            job = self.thick if spread < 0 else self.crowded[spread % CROWDED]
            seats.append(self._seat(job, *ways[number // CROWDED % len(ways)], after))
        return seats

    def loners(self) -> list[Seat]:
        ways = [(kind, way) for kind, way, _ in WAYS[:3]]
        return [
            self._seat(job, *ways[number % len(ways)]) for number, job in enumerate(self.lonely)
        ]

    def _seat(self, job: Job, kind: str, way: Way, after: float = 0.0) -> Seat:
        return Seat(job, way, self.places[job.tenant], Account(str(job.id), kind), after)


@asynccontextmanager
async def cast_on(host: str, port: int) -> AsyncIterator[Cast]:
    """Tenants with their sales, and their jobs, which no worker takes."""
    url = f"http://{host}:{port}"
    places: dict[UUID, Place] = {}
    async with AsyncExitStack() as held:
        http = httpx.AsyncClient(limits=ANY, timeout=CALL_SECONDS)
        await held.enter_async_context(http)
        for _ in range(TENANTS):
            made = await _post(http, url + BASE + "/tenants", OPERATOR_KEY, BAKERY)
            tenant, key = UUID(made["tenant"]["id"]), made["api_key"]
            client = await held.enter_async_context(AsyncClient(url, key))
            places[tenant] = Place(host, port, key, http, client)
            await _post(http, url + BASE + "/sales", key, {"rows": _sales()})
        jobs = [
            await _make_job(place, tenant)
            for _, (tenant, place) in zip(range(JOBS), cycle(places.items()), strict=False)
        ]
        yield Cast(jobs[:CROWDED], jobs[CROWDED], jobs[CROWDED + 1 :], places)


async def _make_job(place: Place, tenant: UUID) -> Job:
    return Job(tenant, UUID((await place.client.create_job())["id"]))


async def _post(http: httpx.AsyncClient, url: str, key: str, body: object) -> Any:
    answer = await http.post(url, json=body, headers={"Authorization": f"Bearer {key}"})
    assert answer.is_success, answer.text
    return answer.json()


def _sales() -> list[dict[str, object]]:
    first = dt.date(2025, 1, 6)
    return [
        {"date": str(first + dt.timedelta(days=day)), "product": "roll", "quantity": 20 + day % 7}
        for day in range(40)
    ]
