"""Following a job to its end, and leaving it before."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import typer

if TYPE_CHECKING:
    from morrow import Client, MorrowError
    from morrow.schemas import Event, Job
    from services.training.commands.screen import Screen

FAILED: Final = {"failed", "cancelled"}
INTERRUPTED: Final = 130  # as shells tell of a program that SIGINT ended


def follow_and_tell(client: "Client", screen: "Screen", job: "Job") -> None:
    """Follow the job, then tell what became of it; exit status 1 if it failed, 130 if who follows
    leaves before its end."""
    from services.training.commands.job_tables import product_table, totals

    with leaving_told(screen, job["id"]):
        finished = follow_to_end(client, screen, job)
    products = list(client.list_job_products(job["id"]))
    screen.result({**finished, "items": products}, product_table(products), totals(finished))
    if finished["status"] in FAILED:
        raise typer.Exit(1)


def follow_to_end(client: "Client", screen: "Screen", job: "Job") -> "Job":
    """Show the job's progress; the job as it is when it is finished."""
    from services.training.commands.job_bars import watch_job

    watch_job(screen, job, _events(client, screen, job))
    finished = client.get_job(job["id"])
    for warning in finished["warnings"]:
        screen.say(f"! {warning['message']}")
    return finished


def _events(client: "Client", screen: "Screen", job: "Job") -> "Iterator[Event]":
    """The job's events; each time that the API is away is told once."""
    away = False

    def missed(error: "MorrowError") -> None:
        nonlocal away
        if not away:
            screen.say(f"! {error.detail}: trying again")
        away = True

    for event in client.events(job, missed=missed):
        away = False
        yield event


@contextmanager
def leaving_told(screen: "Screen", job_id: str) -> Iterator[None]:
    """Ctrl-C and SIGTERM end the watching and not the job: says so, and how to go on."""
    from services.training.commands.stopping import stopped_by_signals

    try:
        with stopped_by_signals():
            yield
    except KeyboardInterrupt:
        screen.say(f"job {job_id} goes on without you:")
        screen.say(f"  morrow jobs watch {job_id}     goes on watching it")
        screen.say(f"  morrow jobs cancel {job_id}    ends it; what it has trained stays")
        raise typer.Exit(INTERRUPTED) from None
