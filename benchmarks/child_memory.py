"""What a training child takes of memory, and what a further one adds: JSON in MiB.

    python -m benchmarks.child_memory [--children 4] [--products 20]

The same real job over HTTP, of products of two years at the defaults, with one training child and
with several, while /proc/PID/smaps_rollup of the worker's fork server and its children is read.
Figures are of the time from the job's first product on, but for those of the pool.

peak_rss            the highest resident size that a training child ever had, shared pages included
further_child_pss   the highest PSS of a child while all of them were there: what it has for itself,
                    and its part of what it shares
total_pss           the highest of fork server and children together, by the number of children
pool_peak_rss       the highest resident size of the child that learns the job's pool, which is gone
                    before any product trains
"""

import argparse
import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from rich.console import Console
from rich.progress import track

from benchmarks.made_tenant import made_tenant
from benchmarks.processes import children_by_parent, command_of, descendants, memory_of, peak_rss
from benchmarks.service import events_of, first_at, load, morrow_up, tenant_client, train

LOOK_SECONDS: Final = 0.02
LOOKS_A_SEARCH: Final = 10
FORK_SERVER: Final = "multiprocessing.forkserver"


@dataclass(frozen=True, slots=True)
class Look:
    """At one moment, in MiB: PSS of the fork servers, PSS and peak RSS so far of each child."""

    at: float
    servers: float
    pss: dict[int, float]
    peaks: dict[int, float]

    @property
    def total(self) -> float:
        return self.servers + sum(self.pss.values())


@dataclass(frozen=True, slots=True)
class WatchedJob:
    """The looks before the job's first product began, and those since."""

    pool: Sequence[Look]
    training: Sequence[Look]


def run(children: int = 4, products: int = 20) -> dict[str, object]:
    """Every figure, from a job with one child and one with `children`."""
    counts = track((1, children), "Jobs", console=Console(stderr=True))
    jobs = {count: watched_job(count, products) for count in counts}
    totals = {count: max(look.total for look in job.training) for count, job in jobs.items()}
    crowd = [look for look in jobs[children].training if len(look.pss) == children]
    if not crowd:
        raise RuntimeError(f"{children} children never trained at once: give them more products")
    return {
        "products": products,
        "children": children,
        "peak_rss": round(max(highest(job.training) for job in jobs.values()), 1),
        "pool_peak_rss": round(max(highest(job.pool) for job in jobs.values()), 1),
        "further_child_pss": round(max(max(look.pss.values()) for look in crowd), 1),
        "fork_server_pss": round(max(look.servers for look in crowd), 1),
        "total_pss": {str(count): round(total, 1) for count, total in totals.items()},
    }


def highest(looks: Sequence[Look]) -> float:
    """The highest resident size that any child had had by then; 0 where there was none."""
    return max((peak for look in looks for peak in look.peaks.values()), default=0.0)


def watched_job(children: int, products: int) -> WatchedJob:
    tenant = made_tenant(products)
    with (
        morrow_up(workers=children) as service,
        tenant_client(service.address, service.operator_key, tenant) as client,
    ):
        load(client, tenant)
        with watching(service.pid) as looks:
            job = train(client, {})
        if job["status"] != "succeeded":
            raise RuntimeError(f"the job of {tenant.name} ended {job['status']}: {job}")
        began = first_at(events_of(client, job["id"]), "product.started")
    return WatchedJob(
        [look for look in looks if look.at < began], [look for look in looks if look.at >= began]
    )


@contextmanager
def watching(pid: int) -> Iterator[list[Look]]:
    """What the fork servers below a process and their children take while the body runs."""
    looks: list[Look] = []
    ended = threading.Event()
    watch = threading.Thread(target=_look_on, args=(pid, looks, ended))
    watch.start()
    try:
        yield looks
    finally:
        ended.set()
        watch.join()


def _look_on(pid: int, looks: list[Look], ended: threading.Event) -> None:
    family = find_family(pid)
    while not ended.wait(LOOK_SECONDS):
        if len(looks) % LOOKS_A_SEARCH == 0:
            family = find_family(pid)
        looks.append(look_at(family))


@dataclass(frozen=True, slots=True)
class Family:
    """Fork servers and the children that they have started."""

    servers: list[int]
    children: list[int]


def find_family(pid: int) -> Family:
    by_parent = children_by_parent()
    started = {one for one in descendants(pid, by_parent) if FORK_SERVER in command_of(one)}
    children = {child for one in started for child in by_parent.get(one, ())}
    return Family(sorted(started - children), sorted(children))


def look_at(family: Family) -> Look:
    """Children that have ended take nothing, and are left out."""
    sizes = {child: memory_of(child).pss for child in family.children}
    alive = {child: size for child, size in sizes.items() if size > 0}
    servers = sum(memory_of(server).pss for server in family.servers)
    return Look(time.time(), servers, alive, {child: peak_rss(child) for child in alive})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--children", type=int, default=4, help="at once")
    parser.add_argument("--products", type=int, default=20, help="of each job")
    given = parser.parse_args()
    print(json.dumps(run(given.children, given.products), indent=2))


if __name__ == "__main__":
    main()
