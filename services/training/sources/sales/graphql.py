"""Questions to Shopify's GraphQL, whose price is paid out of a bucket that refills."""

import asyncio
import time
from collections.abc import Mapping
from typing import Final

from services.training.sources.faults import SourceFault
from services.training.sources.reading import as_list, as_object
from services.training.sources.run import Run
from shared.upstream.payload import Json

MOST_WAITS: Final = 10
SHORTEST_WAIT, LONGEST_WAIT = 0.5, 30.0
USUAL_RATE: Final = 50.0
THROTTLED: Final = "THROTTLED"
TOO_DEAR: Final = "MAX_COST_EXCEEDED"


async def ask(run: Run, version: str, query: str, variables: dict[str, Json]) -> dict[str, Json]:
    """The data that the question is answered with; waits while it is told to, though not beyond
    the deadline. `SourceFault` where it is refused, in whole or in part."""
    token = run.connected.token
    upstream = run.upstream({} if token is None else {"X-Shopify-Access-Token": token})
    for _ in range(MOST_WAITS):
        answer = as_object(
            await run.supply.client.post(
                upstream,
                f"/admin/api/{version}/graphql.json",
                {"query": query, "variables": variables},
                deadline=run.deadline,
                idempotent=True,
            ),
            "the answer",
        )
        codes = _codes(answer)
        if THROTTLED not in codes:
            _require_none(answer, codes)
            return as_object(answer.get("data"), "data")
        await _wait(run, answer)
    raise SourceFault("throttled", f"told {MOST_WAITS} times to wait: ask less often")


def _codes(answer: Mapping[str, Json]) -> list[str]:
    """Of each error its code, or else what it says."""
    found = []
    for at, each in enumerate(as_list(answer.get("errors") or [], "errors")):
        error = as_object(each, f"errors[{at}]")
        extensions = error.get("extensions")
        code = extensions.get("code") if isinstance(extensions, dict) else None
        found.append(f"{code or error.get('message')!s:.300}")
    return found


def _require_none(answer: Mapping[str, Json], codes: list[str]) -> None:
    if TOO_DEAR in codes:
        raise SourceFault("query_too_dear", "a page costs too much: lower options.page_size")
    if codes:
        raise SourceFault("refused", f"the supplier refused: {codes[0]}")


async def _wait(run: Run, answer: Mapping[str, Json]) -> None:
    seconds = wait_of(answer)
    if time.monotonic() + seconds >= run.deadline:
        raise SourceFault("throttled", f"told to wait for {seconds:.0f} s, and has not so long")
    await asyncio.sleep(seconds)


def wait_of(answer: Mapping[str, Json]) -> float:
    """Seconds until the bucket holds what the question costs."""
    cost = _member(_member(answer, "extensions"), "cost")
    status = _member(cost, "throttleStatus")
    wanted, there = (
        _number(cost, "requestedQueryCost", 100.0),
        _number(status, "currentlyAvailable", 0.0),
    )
    rate = max(_number(status, "restoreRate", USUAL_RATE), 1.0)
    return min(max((wanted - there) / rate, SHORTEST_WAIT), LONGEST_WAIT)


def _member(value: Mapping[str, Json], name: str) -> Mapping[str, Json]:
    found = value.get(name)
    return found if isinstance(found, dict) else {}


def _number(value: Mapping[str, Json], name: str, otherwise: float) -> float:
    found = value.get(name)
    return float(found) if isinstance(found, int | float) else otherwise
