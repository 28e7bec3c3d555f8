"""Whether a product takes longer in a large job than in a small one: JSON with medians and ratios.

    python -m benchmarks.job_scale [--small 50] [--large 1000] [--rounds 2]

Jobs over HTTP at the service's defaults, one after the other, of made products of two years; the
large job repeats the products of the small one. A first job that warms everything up is not
counted. `cpu` is the processor time of the whole service with its database, which a busy machine
disturbs less than `wall`, from the order to the job's end.

phases   wall seconds of a job: `prepare` from its start until its series are validated and handed
         out, `pool` from there until the first product begins, `train` from there to its end
"""

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from rich.console import Console
from rich.progress import Progress

from benchmarks.made_tenant import KINDS, made_tenant
from benchmarks.processes import cpu_seconds
from benchmarks.service import (
    Service,
    events_of,
    finished,
    first_at,
    load,
    morrow_up,
    order,
    tenant_client,
)

KINDS_OF_TIME = ("wall", "cpu")


@dataclass(frozen=True, slots=True)
class Taken:
    """What one job took, in seconds."""

    products: int
    wall: float
    cpu: float
    phases: dict[str, float]


def run(small: int = KINDS, large: int = 1000, rounds: int = 2) -> dict[str, object]:
    """Every figure; the large job runs once, the small one in as many rounds around it."""
    plan = [small, *[small] * (rounds // 2), large, *[small] * (rounds - rounds // 2)]
    with morrow_up() as service, Progress(console=Console(stderr=True)) as progress:
        jobs = [timed_job(service, products, progress) for products in plan]
    counted = jobs[1:]
    return {
        "jobs": [described(job) for job in counted],
        "seconds_per_product": {
            str(size): {kind: round(per_product(counted, size, kind), 4) for kind in KINDS_OF_TIME}
            for size in (small, large)
        },
        "large_to_small": {
            kind: round(per_product(counted, large, kind) / per_product(counted, small, kind), 3)
            for kind in KINDS_OF_TIME
        },
    }


def per_product(jobs: Sequence[Taken], products: int, kind: str) -> float:
    return median(getattr(job, kind) / products for job in jobs if job.products == products)


def timed_job(service: Service, products: int, progress: Progress) -> Taken:
    """One job of a tenant of its own, from the order to its end."""
    tenant = made_tenant(products)
    with tenant_client(service.address, service.operator_key, tenant, "unlimited") as client:
        load(client, tenant)
        spent, began = cpu_seconds(service.pid), time.perf_counter()
        bar = progress.add_task(tenant.name, total=100)
        job = finished(
            client, order(client, {}), lambda job: progress.update(bar, completed=job["percent"])
        )
        wall, cpu = time.perf_counter() - began, cpu_seconds(service.pid) - spent
        if job["status"] != "succeeded":
            raise RuntimeError(f"the job of {tenant.name} ended {job['status']}: {job['products']}")
        return Taken(products, wall, cpu, phases(events_of(client, job["id"])))


def phases(events: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """How long a job prepared, waited for its pool, and trained."""
    marks = ("job.started", "data.validated", "product.started", "job.finished")
    begin, validated, training, end = (first_at(events, mark) for mark in marks)
    return {"prepare": validated - begin, "pool": training - validated, "train": end - training}


def described(job: Taken) -> dict[str, object]:
    return {
        "products": job.products,
        "wall_s": round(job.wall, 2),
        "cpu_s": round(job.cpu, 2),
        "phases_s": {name: round(seconds, 2) for name, seconds in job.phases.items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", type=int, default=KINDS, help="products of the small job")
    parser.add_argument("--large", type=int, default=1000, help="a multiple of it")
    parser.add_argument("--rounds", type=int, default=2, help="small jobs timed")
    given = parser.parse_args()
    print(json.dumps(run(given.small, given.large, given.rounds), indent=2))


if __name__ == "__main__":
    main()
