"""`morrow train`: a training job, asked for and followed."""

from typing import TYPE_CHECKING, Annotated

import typer

from services.training.commands.calling import tenant_call
from services.training.commands.options import DEFAULT_URL, AsJson, Key, Url

if TYPE_CHECKING:
    from rich.table import Table

    from services.training.commands.answers import Job, JobProduct
    from services.training.commands.http import Api
    from services.training.commands.screen import Screen

FAILED = {"failed", "cancelled"}


def train(
    product: Annotated[
        list[str] | None, typer.Option(help="only this one; may be repeated")
    ] = None,
    location: Annotated[list[str] | None, typer.Option(help="only here; may be repeated")] = None,
    horizon_days: Annotated[int | None, typer.Option(help="how far ahead")] = None,
    optimizer: Annotated[str | None, typer.Option(help="tpe, random, grid or cmaes")] = None,
    max_trials: Annotated[int | None, typer.Option(help="at most, for each product")] = None,
    family: Annotated[
        list[str] | None, typer.Option(help="only this contestant; may be repeated")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="also what has not changed")] = False,
    follow: Annotated[bool, typer.Option("--follow", help="watch it until it is finished")] = False,
    url: Url = DEFAULT_URL,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Train every product, or some; exit status 1 if the job that is followed failed."""
    asked: dict[str, object] = {
        "products": product or None,
        "locations": location or None,
        "horizon_days": horizon_days,
        "optimizer": optimizer,
        "max_trials": max_trials,
        "families": family or None,
        "force": force,
    }
    with tenant_call(url, key, as_json) as (api, screen):
        job: Job = api.post("/training-jobs", given(asked))
        if not follow:
            screen.result(job, f"job {job['id']} is {job['status']}")
            return
        finished = follow_to_end(api, screen, job)
        products: list[JobProduct] = list(api.items(f"/training-jobs/{job['id']}/products"))
        screen.result({**finished, "items": products}, product_table(products), totals(finished))
    if finished["status"] in FAILED:
        raise typer.Exit(1)


def given(options: dict[str, object]) -> dict[str, object]:
    """The options that were given; the service knows the others' defaults."""
    return {name: value for name, value in options.items() if value is not None}


def follow_to_end(api: "Api", screen: "Screen", job: "Job") -> "Job":
    """Show the job's progress; the job as it is when it is finished."""
    from services.training.commands.follow import follow_job
    from services.training.commands.progress import watch_job

    watch_job(screen, follow_job(api, job["id"]))
    finished: Job = api.get(f"/training-jobs/{job['id']}")
    for warning in finished["warnings"]:
        screen.say(f"! {warning['message']}")
    return finished


def product_table(products: "list[JobProduct]") -> "Table":
    from rich.markup import escape

    from services.training.commands.screen import table

    shown = table(
        *("product", "location", "state", "family", "skill", "stage", "trials", "seconds", "why"),
        right=("skill", "trials", "seconds"),
    )
    for item in products:
        error = item["error"]
        shown.add_row(
            *(escape(item["product"]), escape(item["location"]), item["state"]),
            *(item["family"] or "", skill_text(item["skill"]), item["stage"] or ""),
            "" if item["trials"] is None else str(item["trials"]),
            "" if item["seconds"] is None else f"{item['seconds']:.1f}",
            "" if error is None else escape(error["message"]),
        )
    return shown


def skill_text(skill: float | None) -> str:
    """How much less is lost than by the same-weekday mean."""
    return "" if skill is None else f"{skill:+.0%}"


def totals(job: "Job") -> str:
    counts = job["products"]
    named = {
        "trained": counts["succeeded"],
        "unchanged": counts["skipped"],
        "failed": counts["failed"],
        "cancelled": counts["cancelled"],
    }
    parts = ", ".join(f"{count} {name}" for name, count in named.items() if count)
    return f"job {job['id']} {job['status']}: {counts['total']} series, {parts or 'none'}"
