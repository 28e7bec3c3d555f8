"""`morrow demo`: a bakery from its sales to its forecasts, in a Morrow of its own."""

import os
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.training.commands.options import AsJson

if TYPE_CHECKING:
    from morrow import Client
    from morrow.schemas import Job, JobProduct
    from services.training.commands.demonstration.ready import ReadyProgram
    from services.training.commands.demonstration.report import Report
    from services.training.commands.demonstration.stopwatch import Stopwatch
    from services.training.commands.screen import Screen

SEED = 2026


@dataclass(frozen=True, slots=True)
class Plan:
    """What to show: the sample ends the day before `today`; without `stay` all ends at the end."""

    data_dir: Path
    port: int
    today: date
    stay: bool
    max_trials: int | None


def demo(
    data_dir: Annotated[Path, typer.Option(help="of its own Morrow")] = Path(".morrow/demo"),
    port: Annotated[int, typer.Option(help="any free one if taken", min=0, max=65535)] = 8000,
    exit_at_end: Annotated[
        bool, typer.Option("--exit", help="end instead of staying: 0 if every step worked")
    ] = False,
    max_trials: Annotated[
        int | None, typer.Option(help="at most, for each product; default: the service's", min=1)
    ] = None,
    today: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="the sample ends the day before")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run everything, train a sample bakery, show its forecasts, and stay until Ctrl-C."""
    from services.training.commands.screen import screen
    from services.training.commands.stopping import stopped_by_signals

    day = date.today() if today is None else today.date()
    plan = Plan(data_dir, port, day, not exit_at_end, max_trials)
    with screen(as_json) as shown, stopped_by_signals():
        try:
            status = _run(plan, shown)
        except KeyboardInterrupt:
            shown.say("stopped")
            status = 0 if plan.stay else 1
    raise typer.Exit(status)


def _run(plan: Plan, screen: "Screen") -> int:
    """Every step, and at the end the end of all that runs for it; the exit status."""
    from services.training.commands.demonstration.embedded import (
        embedded_morrow,
        sample_suppliers,
    )
    from services.training.commands.demonstration.stopwatch import Stopwatch

    steps = Stopwatch(screen.say)
    with ExitStack() as held:
        with steps.step("start PostgreSQL, the API and a worker"):
            morrow = held.enter_context(embedded_morrow(plan.data_dir, plan.port, os.environ))
        screen.say(f"  ready at {morrow.url}; its log is {morrow.log}")
        with steps.step("start suppliers of sales, weather and traffic"):
            suppliers = held.enter_context(sample_suppliers(plan.data_dir, plan.today, os.environ))
        screen.say(f"  ready at {suppliers.url}")
        report = _demonstrate(plan, morrow, suppliers, steps, screen)
        _show(report, plan, screen)
        if plan.stay:
            morrow.stay()
    return 1 if report.faults() else 0


def _demonstrate(
    plan: Plan,
    morrow: "ReadyProgram",
    suppliers: "ReadyProgram",
    steps: "Stopwatch",
    screen: "Screen",
) -> "Report":
    from morrow import Client
    from services.training.commands.calling import operator_key
    from services.training.commands.demonstration.report import Report
    from services.training.commands.demonstration.sample_tenant import (
        find_or_make,
        sample_bakery,
        tell_catalogue,
    )
    from services.training.commands.demonstration.sources import connect, pull
    from services.training.commands.demonstration.weeks import read_weeks

    with steps.step("make a bakery of two years"):
        bakery = sample_bakery(SEED, plan.today)
    operator = Client(morrow.url, operator_key(plan.data_dir))
    with steps.step("make its tenant"), operator:
        tenant = find_or_make(operator, bakery, morrow.url, plan.data_dir)
    if tenant.met_again:
        screen.say("  it is there from an earlier demo: what has not changed is not trained again")
    with Client(morrow.url, tenant.key) as client:
        with steps.step("tell what it sells"):
            screen.say(f"  {tell_catalogue(client, screen, bakery)}")
        with steps.step("pull sales, weather and traffic"):
            connect(client, suppliers.url)
            screen.say(f"  {pull(client, screen)}")
        with steps.step("train"):
            job, products = _train(plan, client, screen)
        with steps.step("read the forecasts"):
            weeks = read_weeks(client, bakery.data_through, products)
    return Report(morrow.url, suppliers.url, tenant, job, products, weeks, steps.seconds)


def _train(plan: Plan, client: "Client", screen: "Screen") -> "tuple[Job, list[JobProduct]]":
    from services.training.commands.following import follow_to_end

    if plan.max_trials is not None:
        screen.say(f"  with at most {plan.max_trials} trials for each product")
    job = client.create_job(max_trials=plan.max_trials)
    finished = follow_to_end(client, screen, job)
    return finished, list(client.list_job_products(job["id"]))


def _show(report: "Report", plan: Plan, screen: "Screen") -> None:
    from services.training.commands.demonstration.report import invitation, shown

    last = invitation(report) if plan.stay else []
    screen.result(report.as_json(), *shown(report), *last)
