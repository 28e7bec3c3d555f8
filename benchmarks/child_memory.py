"""What a training child takes of memory, and what a further one adds: JSON in MiB.

    python -m benchmarks.child_memory [--children 4] [--products 5]

A real job over HTTP for each number of training children, with so many products of two years for
each of them, while /proc/PID/smaps_rollup of the worker's fork server and its children is read.

peak_rss            the highest resident size that any child ever had, shared pages included
further_child_pss   by how much the highest PSS of fork server and children together grows with
                    one child more, from one child to as many as asked for
fork_server_pss     of the fork server while a single child trains
"""

import argparse
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from rich.console import Console
from rich.progress import track

from benchmarks.made_tenant import made_tenant
from benchmarks.processes import children_by_parent, command_of, descendants, memory_of, peak_rss
from benchmarks.service import load, morrow_up, tenant_client, train

LOOK_SECONDS: Final = 0.02
LOOKS_A_SEARCH: Final = 10
FORK_SERVER: Final = "multiprocessing.forkserver"


@dataclass(slots=True)
class Seen:
    """The highest sizes so far, in MiB; `most_at_once` children ran together."""

    total_pss: float = 0.0
    fork_server_pss: float = 0.0
    peak_rss: float = 0.0
    most_at_once: int = 0


def run(children: int = 4, products: int = 5) -> dict[str, object]:
    """Every figure, from one child to as many as `children` at once."""
    counts = range(1, children + 1)
    seen = [
        watched_job(count, count * products)
        for count in track(counts, "Children", console=Console(stderr=True))
    ]
    totals = [one.total_pss for one in seen]
    added = [more - less for less, more in pairwise(totals)]
    return {
        "products_for_each_child": products,
        "children_seen_at_once": [one.most_at_once for one in seen],
        "peak_rss": round(max(one.peak_rss for one in seen), 1),
        "fork_server_pss": round(seen[0].fork_server_pss, 1),
        "total_pss_by_children": [round(total, 1) for total in totals],
        "further_child_pss": [round(size, 1) for size in added],
        "further_child_pss_mean": round((totals[-1] - totals[0]) / len(added), 1),
    }


def watched_job(children: int, products: int) -> Seen:
    tenant = made_tenant(products)
    with (
        morrow_up(workers=children) as service,
        tenant_client(service.address, service.operator_key, tenant) as client,
    ):
        load(client, tenant)
        with watching(service.pid) as seen:
            job = train(client, {})
    if job["status"] != "succeeded":
        raise RuntimeError(f"the job of {products} products ended {job['status']}: {job}")
    return seen


@contextmanager
def watching(pid: int) -> Iterator[Seen]:
    """What the fork servers below a process and their children take while the body runs."""
    seen, ended = Seen(), threading.Event()
    watch = threading.Thread(target=_look_on, args=(pid, seen, ended))
    watch.start()
    try:
        yield seen
    finally:
        ended.set()
        watch.join()


def _look_on(pid: int, seen: Seen, ended: threading.Event) -> None:
    family = Family()
    looks = 0
    while not ended.wait(LOOK_SECONDS):
        if looks % LOOKS_A_SEARCH == 0:
            family = find_family(pid)
        look(family, seen)
        looks += 1


@dataclass(frozen=True, slots=True)
class Family:
    """Fork servers and the children that they have started."""

    servers: list[int] = field(default_factory=list)
    children: list[int] = field(default_factory=list)


def find_family(pid: int) -> Family:
    by_parent = children_by_parent()
    started = [one for one in descendants(pid, by_parent) if FORK_SERVER in command_of(one)]
    servers = [one for one in started if not any(one in by_parent[other] for other in started)]
    return Family(servers, [child for one in servers for child in by_parent.get(one, ())])


def look(family: Family, seen: Seen) -> None:
    """Raise what has been exceeded."""
    own = sum(memory_of(server).pss for server in family.servers)
    sizes = [memory_of(child).pss for child in family.children]
    seen.fork_server_pss = max(seen.fork_server_pss, own)
    seen.total_pss = max(seen.total_pss, own + sum(sizes))
    seen.peak_rss = max([seen.peak_rss, *map(peak_rss, family.children)])
    seen.most_at_once = max(seen.most_at_once, sum(size > 0 for size in sizes))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--children", type=int, default=4, help="at most so many at once")
    parser.add_argument("--products", type=int, default=5, help="for each child")
    given = parser.parse_args()
    print(json.dumps(run(given.children, given.products), indent=2))


if __name__ == "__main__":
    main()
