"""A stream ticket lets in its tenant to its job, once, and nobody anywhere else."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI

from shared.paging import encode_cursor
from tests.conftest import Tenant, make_tenant
from tests.jobs.asking import ask, send_sales
from tests.security.calling import OPENED, Seen, call
from tests.security.row import Row, Who

WATCH = Row("WS /api/v1/training-jobs/{job_id}/ws", frozenset({Who.ANYONE}))


@dataclass(frozen=True)
class Watcher:
    """A tenant whose two jobs have ended, so that their sockets close."""

    app: FastAPI
    tenant: Tenant
    job: str
    other_job: str

    async def ticket(self, job: str) -> str:
        answer = await self.tenant.client.post("/api/v1/stream-tickets", json={"job_id": job})
        assert answer.status_code == 201, answer.text
        ticket: str = answer.json()["ticket"]
        return ticket

    async def open(self, job: str, ticket: str, key: str = "") -> Seen:
        row = Row(WATCH.operation, WATCH.who, path={"job_id": job}, query={"ticket": ticket})
        return await call(self.app, row.filled(lambda *_: ""), b"", key, number=1)


@pytest.fixture
async def watchers(app: FastAPI, api: httpx.AsyncClient) -> AsyncIterator[tuple[Watcher, Watcher]]:
    async with AsyncExitStack() as held:
        yield (
            await _watcher(app, api, held, "amberleaf"),
            await _watcher(app, api, held, "birchleaf"),
        )


async def _watcher(
    app: FastAPI, api: httpx.AsyncClient, held: AsyncExitStack, name: str
) -> Watcher:
    tenant = await make_tenant(app, api, name=name)
    held.push_async_callback(tenant.client.aclose)
    await send_sales(tenant.client, f"{name} roll")
    jobs = [(await ask(tenant.client))["id"] for _ in range(2)]
    for job in jobs:
        await tenant.client.post(f"/api/v1/training-jobs/{job}/cancel")
    return Watcher(app, tenant, *jobs)


async def test_a_ticket_opens_its_own_job_once(watchers: tuple[Watcher, Watcher]) -> None:
    own, _ = watchers
    ticket = await own.ticket(own.job)
    seen = await own.open(own.job, ticket)
    assert seen.status == OPENED
    assert b"job.finished" in seen.body
    again = await own.open(own.job, ticket)
    assert again.status == 401
    assert again.headers["x-request-id"].encode() in again.body


async def test_no_ticket_opens_another_job_and_trying_uses_up_none(
    watchers: tuple[Watcher, Watcher],
) -> None:
    own, other = watchers
    ours, theirs = await own.ticket(own.job), await other.ticket(other.job)
    disguised = f"{other.tenant.id.hex}.{ours.partition('.')[2]}"
    tried = {
        "theirs, for a job of ours": (own.job, theirs),
        "ours, for a job of theirs": (other.job, ours),
        "ours, for another of our jobs": (own.other_job, ours),
        "theirs, for another of their jobs": (other.other_job, theirs),
        "ours, that says it is theirs": (other.job, disguised),
        "ours, for a job of nobody": (str(uuid4()), ours),
        "a cursor": (own.job, encode_cursor(str(own.tenant.id))),
        "the id of a tenant": (other.job, f"{other.tenant.id.hex}."),
    }
    answers = {
        name: (seen.status, seen.body.replace(seen.headers["x-request-id"].encode(), b""))
        for name, (job, ticket) in tried.items()
        for seen in [await own.open(job, ticket)]
    }
    assert len(set(answers.values())) == 1, answers
    assert {status for status, _ in answers.values()} == {401}
    assert (await own.open(own.job, ours)).status == OPENED
    assert (await other.open(other.job, theirs)).status == OPENED


async def test_a_good_key_beside_a_bad_ticket_does_not_help(
    watchers: tuple[Watcher, Watcher],
) -> None:
    own, other = watchers
    theirs = await other.ticket(other.job)
    assert (await own.open(own.job, theirs, f"Bearer {own.tenant.key}")).status == 401
    assert (await own.open(other.job, theirs + "x", f"Bearer {own.tenant.key}")).status == 401
