"""`morrow train`: a training job, asked for and followed."""

from typing import TYPE_CHECKING, Annotated, cast

import typer

from services.training.commands.calling import tenant_call
from services.training.commands.options import DEFAULT_URL, AsJson, Key, Url

if TYPE_CHECKING:
    from morrow.schemas.training import Family, Optimizer


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
    with tenant_call(url, key, as_json) as (client, screen):
        job = client.create_job(
            products=product or None,
            locations=location or None,
            horizon_days=horizon_days,
            optimizer=cast("Optimizer | None", optimizer),
            max_trials=max_trials,
            families=cast("list[Family]", family) or None,
            force=force or None,
        )
        if follow:
            from services.training.commands.following import follow_and_tell

            follow_and_tell(client, screen, job)
        else:
            screen.result(job, f"job {job['id']} is {job['status']}")
