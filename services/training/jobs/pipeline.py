"""The whole way of a training job, from the claim of its first task to its last forecast.

    prepare   start the job, where it is to run · pull its sources · collect its series · validate
              snapshot · put them in, held · choose pools · let them train
    pool      announce · read the tenant's series · learn in a child what they share · publish it,
              which lets the job's train; none is made where kept pools do
    release   let in what of a large job is still held
    train     hold the series' lock · announce · train in a child · publish, fenced

No transaction is open while anything is computed, read from a file or waited for.
"""

import asyncio

from services.training.demand.outcome import Refused, Trained
from services.training.jobs.admission import NoRoom
from services.training.jobs.collect import collect, validate
from services.training.jobs.events import EventType
from services.training.jobs.fan_out import fan_out, put_in
from services.training.jobs.letting_in import let_in_the_rest
from services.training.jobs.pool_choice import choose_pools
from services.training.jobs.pool_lesson import read_lesson
from services.training.jobs.pooling import (
    LearntPools,
    bury_pool,
    go_without,
    learn_in_child,
    publish_pools,
)
from services.training.jobs.prepare import fail_job, start, tell_no_room
from services.training.jobs.progress import announce
from services.training.jobs.publish import publish, publish_refusal, publish_unchanged
from services.training.jobs.pulling import pull_sources
from services.training.jobs.snapshot import snapshot, training_config
from services.training.jobs.store import POOL, PREPARE, RELEASE, TRAIN
from services.training.jobs.training import bury_product, is_trained, series_lock, train_in_child
from services.training.jobs.workshop import Workshop
from services.training.queue.runner import Cargo
from services.training.queue.task import ClaimedTask
from shared.tracing import span


async def prepare(shop: Workshop, task: ClaimedTask) -> None:
    """Turn a job into one task per series, behind one for the pool where that is to be learnt."""
    request = await start(shop, task)
    with span("pull"):
        pulled = await pull_sources(shop, task)
    async for collected in collect(shop, task, request):
        checked = await asyncio.to_thread(validate, shop, collected, pulled)
        await put_in(shop, task, await snapshot(shop, task, request, checked, pulled))
    config = training_config(request, shop.settings)
    choice = await choose_pools(shop, task, request, config)
    try:
        await fan_out(shop, task, request, choice)
    except NoRoom as full:
        await tell_no_room(shop, task, str(full))
        raise


async def pool(shop: Workshop, task: ClaimedTask) -> None:
    """Learn what the tenant's series share, and let the job's train with it."""
    execution = await announce(shop, task, EventType.PRODUCT_PROGRESS, "learning")
    lesson = await read_lesson(shop, task)
    outcome, cpu_seconds = await learn_in_child(shop, task, execution, lesson)
    with span("publish"):
        match outcome:
            case Refused(code=code, message=message):
                await go_without(shop, task, {"code": code, "message": message}, cpu_seconds)
            case LearntPools():
                await publish_pools(shop, task, outcome, cpu_seconds)


async def train(shop: Workshop, task: ClaimedTask) -> None:
    """Train one series and publish what came of it."""
    async with series_lock(shop, task):
        if await is_trained(shop, task):
            await publish_unchanged(shop, task)
            return
        execution = await announce(shop, task, EventType.PRODUCT_STARTED, "training")
        fit = await train_in_child(shop, task, execution)
        with span("publish"):
            match fit.outcome:
                case Trained() as trained:
                    await publish(shop, task, trained, fit)
                case Refused() as refused:
                    await publish_refusal(shop, task, refused, fit)


def cargo_of(shop: Workshop) -> dict[str, Cargo]:
    """What the queue runs for each kind of task, and how it buries one that cannot succeed."""
    return {
        PREPARE: Cargo(
            run=lambda task: prepare(shop, task),
            bury=lambda task, error: fail_job(shop, task, error),
        ),
        POOL: Cargo(
            run=lambda task: pool(shop, task),
            bury=lambda task, error: bury_pool(shop, task, error),
        ),
        RELEASE: Cargo(
            run=lambda task: let_in_the_rest(shop, task),
            bury=lambda task, error: fail_job(shop, task, error),
        ),
        TRAIN: Cargo(
            run=lambda task: train(shop, task),
            bury=lambda task, error: bury_product(shop, task, error),
        ),
    }
