"""The worker process, wired: its lanes, its children, and how it is drained."""

import asyncio
import os
import signal
import socket
import time
from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from services.training.breakers.fleet import BREAKERS_CHANNEL, Fleet
from services.training.cluster.cluster import Cluster
from services.training.jobs.pipeline import cargo_of
from services.training.jobs.pool_shelf import PoolShelf
from services.training.jobs.store import POOL, PREPARE, RELEASE, TRAIN
from services.training.jobs.workshop import Afar, SlotPool, Workshop
from services.training.pools import pool_limits
from services.training.pruning.terms import Terms
from services.training.pruning.turn import PRUNING, prune_tenant
from services.training.queue.children import ChildLimits, Slot, fork_server
from services.training.queue.claim import Rules
from services.training.queue.depth import tell_depths
from services.training.queue.leader import lead
from services.training.queue.lifeline import CANCELLED_CHANNEL, LeaseTerms, Lifeline
from services.training.queue.locks import AdvisoryLocks
from services.training.queue.periodic import Periodic, Rota
from services.training.queue.runner import QUEUED_CHANNEL, Lane, Runner
from services.training.retraining.policy import RETRAINING
from services.training.retraining.turn import retrain_due
from services.training.settings import Settings
from services.training.sources.addresses import Hosts
from services.training.sources.ask import SYNC
from services.training.sources.cargo import sync_cargo
from services.training.sources.run import Supply
from services.training.sources.turn import SOURCE_SYNC, ask_for_due_syncs
from services.training.upstreams import open_upstreams
from shared.artifacts import open_store
from shared.background import running
from shared.database import Sessions, connect_directly, make_engine, make_sessions
from shared.doorbell import Bell, Listener
from shared.metrics_server import serve_own_metrics
from shared.roles import WORKER
from shared.sealed import Sealer
from shared.upstream.client import UpstreamClient

PREPARE_SLOTS = 16
SYNC_SLOTS = 8
"""Many of both, for they wait for upstreams; of these no tenant gets more than a few."""
PRELOADED = [
    "services.training.queue.preload",
    "services.training.jobs.child",
    "optuna",
    "lightgbm",
    "services.training.cli",  # the program itself, which every child would import for itself
    "services.training.queue.settled",
]

log = structlog.get_logger()


async def run_worker(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT, then drain; a second signal hands back at once."""
    stop, hurry = asyncio.Event(), asyncio.Event()
    _listen_for_signals(stop, hurry)
    await work_until(settings, stop, hurry)


async def work_until(settings: Settings, stop: asyncio.Event, hurry: asyncio.Event) -> None:
    """Work until `stop`, then give what runs the time to drain; with `hurry` hand it back."""
    name = f"{socket.gethostname()}-{os.getpid()}"
    width = settings.workers or os.cpu_count() or 1
    async with AsyncExitStack() as held:
        runners, loops = await _open(settings, name, width, held)
        held.enter_context(serve_own_metrics(settings.metrics_host, settings.metrics_port))
        async with running(*loops, *(runner.run() for runner in runners)):
            log.info("worker_started", worker=name, slots=width)
            await stop.wait()
            log.info("worker_draining", worker=name)
            await asyncio.gather(
                *(runner.drain(settings.drain_seconds, hurry) for runner in runners)
            )
    log.info("worker_stopped", worker=name)


async def _open(
    settings: Settings, name: str, width: int, held: AsyncExitStack
) -> tuple[list[Runner], list[Coroutine[object, object, None]]]:
    dsn = settings.database_url.get_secret_value()
    engine = make_engine(dsn, WORKER, pool_limits(settings), "morrow-worker")
    held.push_async_callback(engine.dispose)
    connect = partial(connect_directly, settings.direct_dsn(), WORKER)
    bell = Bell(partial(connect, "morrow-worker-bell"))
    channels = (QUEUED_CHANNEL, CANCELLED_CHANNEL, BREAKERS_CHANNEL)
    listener = Listener(partial(connect, "morrow-worker-listener"), channels, bell, WORKER)
    terms = LeaseTerms(
        timedelta(seconds=settings.lease_seconds), timedelta(seconds=settings.renew_seconds)
    )
    locks = AdvisoryLocks(partial(connect, "morrow-worker-locks"), silence=terms.length)
    held.push_async_callback(locks.close)
    context = fork_server(PRELOADED)
    jitter = Random(name)  # noqa: S311 - spreads retries and turns, guards nothing
    slots = SlotPool([Slot(context, ChildLimits()) for _ in range(width)])
    held.callback(slots.close)
    afar = await _afar(settings, width, held)
    artifacts = open_store(settings.model_root())
    sessions = make_sessions(engine, settings.longest_idle)
    client = await held.enter_async_context(open_upstreams(settings))
    shop = Workshop(
        settings=settings,
        sessions=sessions,
        artifacts=artifacts,
        pools=PoolShelf(artifacts),
        locks=locks,
        slots=slots,
        bell=bell,
        supply=_supply(settings, sessions, client),
        afar=afar,
    )
    rota = Rota(name, _periodic_works(shop), engine, shop.sessions, jitter, settings.renew_seconds)
    lanes = _lanes(shop, width if afar is None else max(width, afar.slots.width))
    leading = lead(locks, partial(_lead, rota, engine, lanes), settings.renew_seconds)
    fleet = Fleet(engine, client.breakers, listener, WORKER)
    lifeline = Lifeline(engine, terms, listener, time.monotonic)
    runners = [
        Runner(name, lane, engine, shop.sessions, lifeline, listener, jitter) for lane in lanes
    ]
    loops = [listener.run(), bell.run(), locks.run(), lifeline.run(), fleet.run(), leading]
    return runners, loops


async def _afar(settings: Settings, width: int, held: AsyncExitStack) -> Afar | None:
    if settings.ray_address is None:
        return None
    cluster = Cluster(settings.ray_address, settings.ray_tasks or width, PRELOADED)
    await held.enter_async_context(cluster)
    return Afar(cluster, SlotPool(cluster.slots))


async def _lead(rota: Rota, engine: AsyncEngine, lanes: Sequence[Lane]) -> None:
    async with running(tell_depths(engine, [kind for lane in lanes for kind in lane.cargo])):
        await rota.run()


def _supply(settings: Settings, sessions: Sessions, client: UpstreamClient) -> Supply:
    return Supply(
        sessions=sessions,
        client=client,
        sealer=Sealer.of(settings.sealing_key),
        hosts=Hosts.of(settings),
        clock=lambda: datetime.now(UTC),
    )


def _lanes(shop: Workshop, width: int) -> list[Lane]:
    cargo = cargo_of(shop)
    syncs = sync_cargo(shop.supply, shop.settings.sync_timeout_seconds)
    rules = Rules(most_running=shop.settings.max_running_tasks)
    return [
        Lane({kind: cargo[kind] for kind in (PREPARE, RELEASE)}, PREPARE_SLOTS),
        Lane({SYNC: syncs}, SYNC_SLOTS),  # one of its own: an upstream may be slow
        Lane({kind: cargo[kind] for kind in (POOL, TRAIN)}, width, rules),
    ]


def _periodic_works(shop: Workshop) -> list[Periodic]:
    """What the leading worker does again and again."""
    settings = shop.settings
    return [
        Periodic(
            SOURCE_SYNC,
            timedelta(seconds=settings.source_look_seconds),
            partial(ask_for_due_syncs, shop.sessions, shop.bell),
        ),
        Periodic(
            RETRAINING,
            timedelta(seconds=settings.retraining_every_seconds),
            partial(retrain_due, shop.sessions, shop.bell),
        ),
        Periodic(
            PRUNING,
            timedelta(seconds=settings.pruning_every_seconds),
            partial(prune_tenant, shop.sessions, shop.artifacts, Terms.of(settings)),
        ),
    ]


def _listen_for_signals(stop: asyncio.Event, hurry: asyncio.Event) -> None:
    def asked() -> None:
        if stop.is_set():
            hurry.set()
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked)
