"""The whole way of a training job, from the claim of its first task to its last forecast.

    prepare   start the job · collect its series · validate · snapshot · fan out
    train     hold the series' lock · announce · train in a child · publish, fenced

No transaction is open while anything is computed, read from a file or waited for.
"""

from services.training.demand.outcome import Refused, Trained
from services.training.jobs.collect import collect, validate
from services.training.jobs.fan_out import fan_out, snapshot
from services.training.jobs.prepare import fail_job, start
from services.training.jobs.publish import publish, publish_refusal
from services.training.jobs.store import PREPARE, TRAIN
from services.training.jobs.training import announce, bury_product, series_lock, train_in_child
from services.training.jobs.workshop import Workshop
from services.training.queue.enqueue import NewTask
from services.training.queue.runner import Cargo
from services.training.queue.task import ClaimedTask


async def prepare(shop: Workshop, task: ClaimedTask) -> None:
    """Turn a job into one task per series."""
    request = await start(shop, task)
    tasks: list[NewTask] = []
    async for collected in collect(shop, task, request):
        checked = validate(shop, collected)
        tasks += await snapshot(shop, task, request, checked)
    await fan_out(shop, task, tasks)


async def train(shop: Workshop, task: ClaimedTask) -> None:
    """Train one series and publish what came of it."""
    async with series_lock(shop, task):
        await announce(shop, task)
        outcome = await train_in_child(shop, task)
        match outcome:
            case Trained():
                await publish(shop, task, outcome)
            case Refused():
                await publish_refusal(shop, task, outcome)


def cargo_of(shop: Workshop) -> dict[str, Cargo]:
    """What the queue runs for each kind of task, and how it buries one that cannot succeed."""
    return {
        PREPARE: Cargo(
            run=lambda task: prepare(shop, task),
            bury=lambda task, error: fail_job(shop, task, error),
        ),
        TRAIN: Cargo(
            run=lambda task: train(shop, task),
            bury=lambda task, error: bury_product(shop, task, error),
        ),
    }
