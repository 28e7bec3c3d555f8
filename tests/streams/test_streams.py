"""Following a job: everything once, in order, to the last event, for those who may look."""

import asyncio
import json
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text
from websockets.exceptions import InvalidStatus

from shared.database import Sessions, tenant_transaction
from tests.conftest import OPERATOR_KEY
from tests.jobs.asking import check_log
from tests.processes import Programs
from tests.served import database
from tests.streams.watching import JOBS, cancel, key_of, received, refused, tell, watch

__all__ = ["database"]


async def test_a_socket_replays_what_was_and_goes_on_to_the_end(
    served: Programs, client: httpx.AsyncClient, job: str, sessions: Sessions
) -> None:
    await tell(sessions, client, job, 5)
    async with watch(served, job, key=key_of(client)) as watcher:
        replayed = [json.loads(await watcher.recv()) for _ in range(6)]
        await tell(sessions, client, job, 3)
        await cancel(client, job)
        live, code = await received(watcher)
    check_log(replayed + live)
    assert [event["type"] for event in live][-1] == "job.finished"
    assert (len(live), code) == (4, 1000)
    told = (await client.get(f"{JOBS}/{job}/events")).json()["items"]
    without_nulls = [{k: v for k, v in event.items() if v is not None} for event in told]
    assert replayed + live == without_nulls


@pytest.mark.parametrize("said", ["text", b"\x00\xff", "x" * 100_000])
async def test_what_a_client_says_is_passed_over(
    served: Programs, client: httpx.AsyncClient, job: str, said: str | bytes
) -> None:
    async with watch(served, job, key=key_of(client)) as watcher:
        await watcher.recv()
        await watcher.send(said)
        await (await watcher.ping())
        await cancel(client, job)
        events, code = await received(watcher)
    assert (events[-1]["type"], code) == ("job.finished", 1000)
    assert "Traceback" not in served.started[-1].said()


async def test_a_socket_resumes_after_since(
    served: Programs, client: httpx.AsyncClient, job: str, sessions: Sessions
) -> None:
    await tell(sessions, client, job, 5)
    await cancel(client, job)
    async with watch(served, job, "?since=4", key_of(client)) as watcher:
        events, code = await received(watcher)
    check_log(events, first=5)
    assert (len(events), code) == (3, 1000)


@pytest.mark.parametrize("since", [2, 99])
async def test_who_has_seen_the_last_event_of_a_job_is_not_kept_waiting(
    served: Programs, client: httpx.AsyncClient, job: str, since: int
) -> None:
    await cancel(client, job)
    async with watch(served, job, f"?since={since}", key_of(client)) as watcher:
        assert await received(watcher) == ([], 1000)
    headers = {"Accept": "text/event-stream", "Last-Event-ID": str(since)}
    answer = await client.get(f"{JOBS}/{job}/events", headers=headers)
    assert (answer.status_code, answer.text) == (200, "")


async def test_a_ticket_lets_in_once(served: Programs, client: httpx.AsyncClient, job: str) -> None:
    made = await client.post("/stream-tickets", json={"job_id": job})
    assert made.status_code == 201
    query = f"?ticket={made.json()['ticket']}"
    await cancel(client, job)
    async with watch(served, job, query) as watcher:
        events, code = await received(watcher)
    assert (len(events), code) == (2, 1000)
    assert await refused(served, job, query) == 401


async def test_of_many_who_come_with_one_ticket_one_is_let_in(
    served: Programs, client: httpx.AsyncClient, job: str
) -> None:
    ticket = (await client.post("/stream-tickets", json={"job_id": job})).json()["ticket"]

    async def enter() -> bool:
        try:
            async with watch(served, job, f"?ticket={ticket}"):
                return True
        except InvalidStatus:
            return False

    assert sum(await asyncio.gather(*(enter() for _ in range(8)))) == 1


async def test_a_ticket_is_for_its_job_and_its_minute(
    served: Programs, client: httpx.AsyncClient, job: str, sessions: Sessions
) -> None:
    other = (await client.post(JOBS, json={})).json()["id"]
    ticket = (await client.post("/stream-tickets", json={"job_id": other})).json()["ticket"]
    assert await refused(served, job, f"?ticket={ticket}") == 401
    tenant = (await client.get("/tenant")).json()["id"]
    async with tenant_transaction(sessions, UUID(tenant)) as session:
        left = await session.scalar(
            text("SELECT extract(epoch FROM expires_at - now()) FROM stream_tickets")
        )
        assert 0 < left <= 60
        await session.execute(text("UPDATE stream_tickets SET expires_at = now()"))
    assert await refused(served, other, f"?ticket={ticket}") == 401


async def test_who_may_not_look_is_refused_before_the_handshake(
    served: Programs, client: httpx.AsyncClient, job: str
) -> None:
    made = await client.post("/api-keys", json={"name": "till", "scopes": ["ingest"]})
    stranger = await served.tenant(name="Another")
    assert await refused(served, job) == 401
    assert await refused(served, job, key="mrw_abc_def") == 401
    assert await refused(served, job, "?ticket=nonsense") == 401
    assert await refused(served, job, f"?ticket={uuid4().hex}.x") == 401
    assert await refused(served, job, key=made.json()["key"]) == 403
    assert await refused(served, job, key=OPERATOR_KEY) == 403
    assert await refused(served, job, key=key_of(stranger)) == 404
    assert await refused(served, str(uuid4()), key=key_of(client)) == 404
    assert '"level": "error"' not in served.started[-1].said()
    await stranger.aclose()


async def test_a_page_of_another_origin_is_refused_and_uses_up_no_ticket(
    served: Programs, client: httpx.AsyncClient, job: str
) -> None:
    ticket = (await client.post("/stream-tickets", json={"job_id": job})).json()["ticket"]
    for query, key in ((f"?ticket={ticket}", None), ("", key_of(client))):
        with pytest.raises(InvalidStatus) as caught:
            await watch(served, job, query, key, origin="https://evil.example")
        assert caught.value.response.status_code == 403
    async with watch(served, job, f"?ticket={ticket}", origin=served.address) as watcher:
        assert json.loads(await watcher.recv())["seq"] == 1


@pytest.mark.parametrize("since", [-1, "x", 2**70])
async def test_a_since_that_is_none_is_refused_before_the_handshake(
    served: Programs, client: httpx.AsyncClient, job: str, since: object
) -> None:
    with pytest.raises(InvalidStatus) as caught:
        await watch(served, job, f"?since={since}", key_of(client))
    assert 400 <= caught.value.response.status_code < 500


async def test_server_sent_events_are_the_same_and_end_with_the_job(
    served: Programs, client: httpx.AsyncClient, job: str, sessions: Sessions
) -> None:
    await tell(sessions, client, job, 4)
    headers = {"Accept": "text/event-stream", "Last-Event-ID": "2"}
    lines = []
    async with client.stream("GET", f"{JOBS}/{job}/events", headers=headers) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        async for line in answer.aiter_lines():
            lines.append(line)
            if line == "id: 5":
                await cancel(client, job)
    events = [json.loads(line[6:]) for line in lines if line.startswith("data: ")]
    check_log(events, first=3)
    assert [line for line in lines if line.startswith("id: ")] == [
        f"id: {event['seq']}" for event in events
    ]
    assert "event: job.finished" in lines
    assert (len(events), events[-1]["type"]) == (4, "job.finished")
