"""What it costs a training job that a thousand sockets watch it: JSON.

    python -m benchmarks.watched_cost [--products 50] [--sockets 1000] [--rounds 3]

The same job of one tenant, forced, over HTTP on a `morrow up` of its own, in turns with nobody who
watches and with all of the sockets, which are let in before the worker begins: it is stopped until
then. Its one training child and the fork server run on one core; on the other all else: the API,
PostgreSQL, the worker, and, with what these leave of it, those who watch, who in life would be
elsewhere. Wall seconds are the job's, from its start to its end by the database's clock; of the
processor those that the API took meanwhile, those it took to let the watchers in, and those of the
watchers' own process.
"""

import argparse
import json
import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
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
    """Of one job: its wall seconds, the API's processor seconds before it began and since, its
    events, and what the watchers were told, if there were any."""

    wall: float
    opening: float
    api: float
    events: int
    told: Told | None


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
    api = program_of(service, "serve")
    with crowd(SERVING, stands_back=True) as watching:
        with held(program_of(service, "worker")):
            job, spent = order(client, WANTED), cpu_seconds(api)
            if sockets:
                watching.open(service.address, [seat_at(client, job)] * sockets)
            opened = cpu_seconds(api)
        job = finished(client, job)
        if job["status"] != "succeeded":
            raise RuntimeError(f"the job ended {job['status']}: {job['products']}")
        served = cpu_seconds(api)
        events = events_of(client, job["id"])[-1]["seq"]
        told = watching.leave([UNTIL_CLOSED]) if sockets else None
    return Taken(seconds_of(job), opened - spent, served - opened, events, told)


def program_of(service: Service, name: str) -> int:
    """The process of one of the programs that `morrow up` runs."""
    started = descendants(service.pid, children_by_parent())
    [found] = [one for one in started if f"services.training.cli {name}" in command_of(one)]
    return found


@contextmanager
def held(process: int) -> Iterator[None]:
    """Stopped for as long as the body runs."""
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


def seat_at(client: httpx.Client, job: Mapping[str, Any]) -> Seat:
    key = client.headers["Authorization"].removeprefix("Bearer ")
    return Seat(0, f"/api/v1/training-jobs/{job['id']}/ws", key)


def seconds_of(job: Mapping[str, Any]) -> float:
    began, ended = (datetime.fromisoformat(job[name]) for name in ("started_at", "finished_at"))
    return (ended - began).total_seconds()


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
        "api_opening_cpu_s": round(median(job.opening for job in watched), 2),
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
