"""What a circuit breaker costs: JSON.

    python -m benchmarks.breaker_speed [--calls 20000]

open        until a call to an upstream whose breaker is open has its error, through the client:
            one caller after the other, and a hundred at once
admitted    what admitting and settling one call costs, with nothing in between
closed      a whole call to an upstream on loopback, through the client, and bare through `httpx`
"""

import argparse
import asyncio
import json
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import httpx

from shared.breaker import Breaker, Breakers, BreakerTerms, Outcome
from shared.logging import configure_logging
from shared.upstream.client import CallTerms, Upstream, UpstreamClient
from shared.upstream.errors import UpstreamError, UpstreamOpen

TERMS: Final = BreakerTerms(failures=3, open_seconds=3600)
NOBODY: Final = Upstream("weather:nobody", "http://127.0.0.1:1", trusted=True)
AT_ONCE: Final = 100
ANSWER: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


async def run(calls: int) -> dict[str, object]:
    breakers = Breakers({"weather": TERMS})
    async with UpstreamClient(CallTerms(), breakers) as client:
        for _ in range(TERMS.failures):
            await refused(client, UpstreamError)
        alone = [await timed(lambda: refused(client, UpstreamOpen)) for _ in range(calls)]
        crowd = [one for _ in range(calls // AT_ONCE) for one in await at_once(client)]
        closed = await against_loopback(client, calls // 10)
    return {
        "open": {"one_by_one": milliseconds(alone), "hundred_at_once": milliseconds(crowd)},
        "admitted_us": round(admitted(calls) * 1e6, 2),
        "closed": closed,
    }


async def refused(client: UpstreamClient, kind: type[UpstreamError]) -> None:
    try:
        await client.get(NOBODY, "x", {})
    except kind:
        return
    raise RuntimeError("the call was answered")


async def at_once(client: UpstreamClient) -> list[float]:
    """Each from when all were begun until it had its error."""
    return await asyncio.gather(
        *(timed(lambda: refused(client, UpstreamOpen)) for _ in range(AT_ONCE))
    )


async def timed(call: Callable[[], Awaitable[object]]) -> float:
    began = time.perf_counter()
    await call()
    return time.perf_counter() - began


def admitted(calls: int) -> float:
    breaker = Breaker("weather:here", TERMS, time.monotonic)
    began = time.perf_counter()
    for _ in range(calls):
        breaker.settle(breaker.admit(), Outcome.SUCCEEDED)
    return (time.perf_counter() - began) / calls


async def against_loopback(client: UpstreamClient, calls: int) -> dict[str, object]:
    server = await asyncio.start_server(_answer, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    upstream = Upstream("weather:here", url, trusted=True)
    ours, bare = [], []
    async with httpx.AsyncClient(base_url=url, trust_env=False) as plain:
        for _ in range(calls):
            ours.append(await timed(lambda: client.get(upstream, "x", {})))
            bare.append(await timed(lambda: plain.get("/x")))
    server.close()
    return {"client": milliseconds(ours), "httpx": milliseconds(bare)}


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while await reader.readline():
        while (await reader.readline()).strip():
            pass
        writer.write(ANSWER)
        await writer.drain()
    writer.close()


def milliseconds(seconds: Sequence[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    p99 = ordered[max(0, -(-99 * len(ordered) // 100) - 1)]
    figures = {"p50_ms": statistics.median(ordered), "p99_ms": p99, "most_ms": ordered[-1]}
    return {name: round(value * 1000, 3) for name, value in figures.items()}


def main() -> None:
    configure_logging("error", console=False)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=20_000, help="to the open breaker")
    print(json.dumps(asyncio.run(run(parser.parse_args().calls)), indent=2))


if __name__ == "__main__":
    main()
