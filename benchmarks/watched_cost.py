"""What it costs a training job that a thousand sockets watch it: JSON.

    python -m benchmarks.watched_cost [--products 50] [--sockets 1000] [--rounds 3]

The same job of one tenant, forced, over HTTP on a `morrow up` of its own, in turns with nobody who
watches and with all of the sockets, opened right after it was asked for. Its one training child and
the fork server run on one core; on the other all else: the API, PostgreSQL, the worker, and those
who watch, who in life would be elsewhere. Seconds are from the job's request to its end, by the
database's clock; of the processor those of the API, and those of the watchers' own process.
"""

import argparse
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any, Final

import httpx
from rich.console import Console
from rich.progress import track

from benchmarks.child_memory import find_family
from benchmarks.made_tenant import made_tenant
from benchmarks.pinned import ASKING, SERVING, pin
from benchmarks.processes import children_by_parent, command_of, cpu_seconds, descendants
from benchmarks.service import Service, events_of, finished, load, morrow_up, order, tenant_client
from benchmarks.stream_figures import count_astray, count_lost
from benchmarks.stream_seats import Seat
from benchmarks.stream_watchers import UNTIL_CLOSED, Told, crowd

WANTED: Final = {"force": True}
FINISHED: Final = 1000


@dataclass(frozen=True, slots=True)
class Taken:
    """Of one job: wall seconds, processor seconds of the API, its events, and what the watchers
    were told, if there were any."""

    wall: float
    api: float
    events: int
    opening: float = 0.0
    told: Told | None = None


def run(products: int, sockets: int, rounds: int) -> dict[str, object]:
    tenant = made_tenant(products)
    with (
        morrow_up(workers=1) as service,
        tenant_client(service.address, service.operator_key, tenant, "unlimited") as client,
    ):
        load(client, tenant)
        finished(client, order(client, WANTED))  # warms up, and brings the child to life
        part(service)
        turns = [0, sockets] * rounds
        jobs: dict[int, list[Taken]] = {0: [], sockets: []}
        for number in track(turns, "Jobs", console=Console(stderr=True)):
            jobs[number].append(timed_job(service, client, number))
    return {"products": products, "sockets": sockets, "rounds": rounds} | compared(*jobs.values())


def part(service: Service) -> None:
    """Training on a core of its own; all else, this program too, on the other."""
    pin(SERVING, os.getpid(), service.pid, *descendants(service.pid, children_by_parent()))
    family = find_family(service.pid)
    pin(ASKING, *family.servers, *family.children)


def timed_job(service: Service, client: httpx.Client, sockets: int) -> Taken:
    api = api_of(service)
    with crowd(SERVING) as watching:
        spent = cpu_seconds(api)
        job, opening = order(client, WANTED), 0.0
        if sockets:
            opening = watching.open(service.address, [seat_at(client, job)] * sockets)
        job = finished(client, job)
        if job["status"] != "succeeded":
            raise RuntimeError(f"the job ended {job['status']}: {job['products']}")
        events = events_of(client, job["id"])[-1]["seq"]
        told = watching.leave([UNTIL_CLOSED]) if sockets else None
    return Taken(seconds_of(job), cpu_seconds(api) - spent, events, opening, told)


def api_of(service: Service) -> int:
    """Its process."""
    started = descendants(service.pid, children_by_parent())
    [api] = [one for one in started if "services.training.cli serve" in command_of(one)]
    return api


def seat_at(client: httpx.Client, job: Mapping[str, Any]) -> Seat:
    key = client.headers["Authorization"].removeprefix("Bearer ")
    return Seat(0, f"/api/v1/training-jobs/{job['id']}/ws", key)


def seconds_of(job: Mapping[str, Any]) -> float:
    asked, ended = (datetime.fromisoformat(job[name]) for name in ("created_at", "finished_at"))
    return (ended - asked).total_seconds()


def compared(alone: Sequence[Taken], watched: Sequence[Taken]) -> dict[str, object]:
    told = [job.told for job in watched if job.told is not None]
    heard = [(job.events, one.seqs) for job in watched if job.told for one in job.told.heard]
    codes = [one.code for each in told for one in each.heard]
    return {
        "alone_s": [round(job.wall, 2) for job in alone],
        "watched_s": [round(job.wall, 2) for job in watched],
        "wall_ratio": round(median(map(wall, watched)) / median(map(wall, alone)), 4),
        "events": median(job.events for job in watched),
        "api_alone_cpu_s": round(median(job.api for job in alone), 2),
        "api_watched_cpu_s": round(median(job.api for job in watched), 2),
        "watchers_cpu_s": round(median(one.cpu_seconds for one in told), 2),
        "open_s": round(median(job.opening for job in watched), 2),
        "lost": sum(count_lost(seqs, range(1, last + 1)) for last, seqs in heard),
        "astray": sum(count_astray(seqs) for _, seqs in heard),
        "not_closed_as_finished": sum(code != FINISHED for code in codes),
    }


def wall(job: Taken) -> float:
    return job.wall


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--products", type=int, default=50)
    parser.add_argument("--sockets", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    print(json.dumps(run(given.products, given.sockets, given.rounds), indent=2))


if __name__ == "__main__":
    main()
