"""What a product costs more on a cluster than on the worker's machine: JSON.

    python -m benchmarks.cluster_overhead [--products 50] [--rounds 3] [--children 2]

One `morrow up` and a Ray cluster of two nodes on the same machine, so both engines have the same
processors, and the cluster's own processes take theirs from both. The same job of made products of
two years at the defaults, on one and on the other in turns; a first of each, not counted, starts
the children. Of each product, in ms:

product_ms      from its start until its model is published, median
around_ms       of that what the training itself did not take, by the child's own clock, median
job_ms          from the first product's start until the job's end, a product, median of the rounds

`overhead_ms` and `times` hold the cluster against the machine. `connect_s` is how much longer the
first job there took than the second: the bridge, the seats and their imports, once. `health_ms`
is how long asking for the cluster's health took, median and longest of 50: of the head, of a port
where nobody listens, and of one where a connection is taken and nothing said.
"""

import argparse
import asyncio
import json
import socket
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import httpx
from rich.console import Console
from rich.progress import track

from benchmarks.made_tenant import made_tenant
from benchmarks.service import events_of, load, morrow_up, pages, tenant_client, train
from benchmarks.two_nodes import free_port, two_nodes
from services.training.cluster.health import probe

ENGINES: Final = ("local", "cluster")
PROBES: Final = 50


@dataclass(frozen=True, slots=True)
class Round:
    """One job: of each product the seconds until it was published, and what of these it trained;
    and of the whole."""

    products: Sequence[float]
    around: Sequence[float]
    job: float
    order: float


def run(products: int = 50, rounds: int = 3, children: int = 2) -> dict[str, object]:
    tenant = made_tenant(products)
    counted: dict[str, list[Round]] = {engine: [] for engine in ENGINES}
    with (
        two_nodes() as nodes,
        morrow_up(children, {"MORROW_RAY_ADDRESS": nodes.address}) as service,
        tenant_client(service.address, service.operator_key, tenant, "unlimited") as client,
    ):
        load(client, tenant)
        for _ in track(range(rounds + 1), "Rounds", console=Console(stderr=True)):
            for engine in ENGINES:
                counted[engine].append(one_job(client, engine))
        health = asyncio.run(health_of(nodes.address))
    figures = {engine: figures_of(found[1:]) for engine, found in counted.items()}
    there, here = figures["cluster"], figures["local"]
    first, second = counted["cluster"][:2]
    return {
        "products": products,
        "rounds": rounds,
        "children": children,
        **figures,
        "overhead_ms": {name: round(there[name] - here[name], 1) for name in here},
        "times": {name: round(there[name] / here[name], 3) for name in here},
        "connect_s": round(first.order - second.order, 1),
        "health_ms": health,
    }


def one_job(client: httpx.Client, engine: str) -> Round:
    job = train(client, {"execution_mode": engine, "force": True})
    if (job["status"], job["execution"]["used"]) != ("succeeded", engine):
        raise RuntimeError(f"a job for {engine} ended {job['status']}: {job}")
    trained = {
        item["product"]: item["seconds"]
        for item in pages(client, f"/training-jobs/{job['id']}/products")
    }
    events = events_of(client, job["id"])
    began = _when(events, "product.started")
    ended = _when(events, "product.trained")
    took = {product: ended[product] - began[product] for product in ended}
    finish = datetime.fromisoformat(job["finished_at"]).timestamp()
    asked = datetime.fromisoformat(job["created_at"]).timestamp()
    return Round(
        products=list(took.values()),
        around=[seconds - trained[product] for product, seconds in took.items()],
        job=(finish - min(began.values())) / len(took),
        order=finish - asked,
    )


def figures_of(rounds: Sequence[Round]) -> dict[str, float]:
    """In ms, of all products of all rounds."""
    return {
        "product_ms": _median([seconds for each in rounds for seconds in each.products]),
        "around_ms": _median([seconds for each in rounds for seconds in each.around]),
        "job_ms": _median([each.job for each in rounds]),
    }


async def health_of(address: str) -> dict[str, dict[str, float]]:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        addresses = {
            "well": address,
            "refused": f"ray://127.0.0.2:{free_port()}",
            "silent": f"ray://127.0.0.1:{silent.getsockname()[1]}",
        }
        return {name: await _asked(each) for name, each in addresses.items()}


async def _asked(address: str) -> dict[str, float]:
    took = []
    for _ in range(PROBES):
        began = time.perf_counter()
        await probe(address)
        took.append(time.perf_counter() - began)
    return {"median": _median(took), "most": round(1000 * max(took), 1)}


def _median(seconds: Sequence[float]) -> float:
    return round(1000 * statistics.median(seconds), 1)


def _when(events: Sequence[Mapping[str, Any]], type: str) -> dict[str, float]:
    """Of each product the time of its event, in seconds since 1970."""
    return {
        event["product"]: datetime.fromisoformat(event["at"]).timestamp()
        for event in events
        if event["type"] == type
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--products", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--children", type=int, default=2)
    asked = parser.parse_args()
    print(json.dumps(run(asked.products, asked.rounds, asked.children), indent=2))


if __name__ == "__main__":
    main()
