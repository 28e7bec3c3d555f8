"""A thousand sockets that watch jobs: from commit to receipt, and memory. Prints JSON.

    python -m benchmarks.stream_load [--sockets 1000] [--rounds 3] [--seconds 12] [SCENE ...]

An API process as `morrow up` starts it on one core; on the other those who watch, and one who tells
of the jobs as a worker does; PostgreSQL where it falls. A fresh API each round. In turns:

spread          the sockets over 100 jobs of 10 tenants, 100 events a second in all
one             all of them on one job, 5 events a second
spread_slow, one_slow   the same, but 5 in 100 never read: they ask for a log of more than the
                kernel keeps for them, are cut off (`cut_off`), and come back every 6 s

p50_ms ...      from the writer's knowing of the commit to the reader's having the bytes
lost, astray    events that never came to a reader; that came twice, or before an earlier one
closed          readers that were closed
kb_open, kb_end   by what the API's resident memory had grown, a socket: once all were open; at the
                end. Without the kernel's buffers; 1 kB is 1,000 bytes
open_s          until all were let in
api_share       of its core, what serving took; client_share, what listening did, with client_us a
                frame; late_ms: how late the writer was, p99
"""

import argparse
import json
import os
import random
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import track

import migrations
from benchmarks.pinned import ASKING
from benchmarks.processes import cpu_seconds, memory_of
from benchmarks.served_api import Served, Tenant, made_tenant, serving
from benchmarks.stream_figures import lags_of, lateness, medians, newest_of
from benchmarks.stream_seats import Seat
from benchmarks.stream_watchers import crowd
from benchmarks.stream_writer import Log, Writer, writer
from shared.postgres import EmbeddedPostgres
from shared.roles import MIGRATOR, WORKER

TENANTS: Final = 10
NOTES: Final = 100  # of 4 KiB
IDLE_SHARE: Final = 0.05
WARM_SECONDS: Final = 2.0
WARM_PART: Final = 50
SETTLING_SECONDS: Final = 1.0
KB_PER_MIB: Final = 2**20 / 1000


@dataclass(frozen=True, slots=True)
class Scene:
    """Over how many jobs the sockets are spread, how many events a second are told of these, and
    whether some of them never read."""

    jobs: int
    rate: float
    slow: bool = False


SCENES: Final = {
    "spread": Scene(100, 100),
    "spread_slow": Scene(100, 100, slow=True),
    "one": Scene(1, 5),
    "one_slow": Scene(1, 5, slow=True),
}


@dataclass(frozen=True, slots=True)
class Stage:
    """What a round is played on."""

    served: Served
    telling: Writer
    tenants: Sequence[Tenant]


def run(names: Sequence[str], sockets: int, rounds: int, seconds: float) -> dict[str, object]:
    found: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory(prefix="morrow-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        with EmbeddedPostgres().start(folder / "pg") as server:
            migrations.upgrade(server.url(MIGRATOR))
            with serving(server, folder) as served:
                tenants = [made_tenant(served, number) for number in range(TENANTS)]
            with writer(server.url(WORKER), ASKING) as telling:
                turns = [name for _ in range(rounds) for name in names]
                for turn in track(turns, "Rounds", console=Console(stderr=True)):
                    with serving(server, folder) as served:
                        stage = Stage(served, telling, tenants)
                        found[turn].append(play(SCENES[turn], stage, sockets, seconds))
    return {"sockets": sockets, "rounds": rounds, "seconds": seconds} | summary(found)


def play(scene: Scene, stage: Stage, sockets: int, seconds: float) -> dict[str, float]:
    """The figures of one round, after a short one of a few sockets that warms up."""
    watch(scene, stage, sockets // WARM_PART, WARM_SECONDS)
    return watch(scene, stage, sockets, seconds)


def watch(scene: Scene, stage: Stage, sockets: int, seconds: float) -> dict[str, float]:
    own = [stage.tenants[job % TENANTS] for job in range(scene.jobs)]
    logs = stage.telling.begin([tenant.id for tenant in own], NOTES if scene.slow else 0)
    seats = taken(scene, logs, own, sockets)
    time.sleep(SETTLING_SECONDS)  # what was opened before has ended by then
    served, api = stage.served, stage.served.pid
    load, before, cut_off = os.getloadavg()[0], memory_of(api).rss, cut_off_by(served)
    with crowd(ASKING) as watching:
        opening = watching.open(served.address, seats)
        time.sleep(SETTLING_SECONDS)
        opened, spent, began = memory_of(api).rss, cpu_seconds(api), time.monotonic()
        committed = stage.telling.tell(logs, scene.rate, seconds)
        share = (cpu_seconds(api) - spent) / (time.monotonic() - began)
        told = watching.leave(newest_of(logs, ((one.job, one.seq) for one in committed)))
        ended, cut_off = memory_of(api).rss, cut_off_by(served) - cut_off
    return {
        **lags_of(seats, told.heard, committed, logs).figures(),
        "closed": sum(one.code is not None for one in told.heard),
        "cut_off": cut_off,
        "kb_open": (opened - before) * KB_PER_MIB / sockets,
        "kb_end": (ended - before) * KB_PER_MIB / sockets,
        "open_s": opening,
        "api_share": share,
        "client_share": told.cpu_seconds / told.wall_seconds,
        "client_us": told.microseconds_per_event,
        "late_ms": lateness(committed),
        "load": load,
    }


def cut_off_by(served: Served) -> float:
    """How many sockets have been closed because their reader was too slow."""
    return served.counted("morrow_streams_closed_total", code="1013")


def taken(scene: Scene, logs: Sequence[Log], own: Sequence[Tenant], sockets: int) -> list[Seat]:
    """So many seats; those who read begin after what their job's log holds already."""
    drawn = random.Random(2026)  # noqa: S311 - draws seats, guards nothing
    idle = set(drawn.sample(range(sockets), round(IDLE_SHARE * sockets) if scene.slow else 0))
    seats = []
    for number in range(sockets):
        job = number % len(logs)
        since = 0 if number in idle else logs[job].last
        path = f"/api/v1/training-jobs/{logs[job].job_id}/ws?since={since}"
        seats.append(Seat(job, path, own[job].key, reads=number not in idle))
    return seats


def summary(found: Mapping[str, Sequence[dict[str, float]]]) -> dict[str, object]:
    """Medians of the rounds; how much longer p99 is where some never read; what went wrong."""
    scenes = {name: medians(rounds) for name, rounds in found.items() if rounds}
    slow = {
        name: round(scenes[f"{name}_slow"]["p99_ms"] / scenes[name]["p99_ms"], 3)
        for name in scenes
        if f"{name}_slow" in scenes
    }
    wrong = sum(one["lost"] + one["astray"] for one in scenes.values())
    return {**scenes, "p99_slow_to_well": slow, "lost_or_astray": wrong}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenes", nargs="*", default=list(SCENES), metavar="SCENE")
    parser.add_argument("--sockets", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=12.0)
    given = parser.parse_args()
    found = run(given.scenes, given.sockets, given.rounds, given.seconds)
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
