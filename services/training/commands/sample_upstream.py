"""`morrow sample-upstream`: sales, weather and traffic of the sample bakery, over HTTP."""

from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

SEED = 2026


def sample_upstream(
    host: Annotated[str, typer.Option(help="where it listens")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0: any free one", min=0, max=65535)] = 8100,
    seed: Annotated[int, typer.Option(help="of the bakery")] = SEED,
    today: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="the sales end the day before")
    ] = None,
    sales: Annotated[
        Path | None,
        typer.Option(help="a CSV as for `sales import`, instead of the bakery's", exists=True),
    ] = None,
) -> None:
    """Serve what suppliers would, by all the contracts that Morrow reads, until Ctrl-C.

    `POST /fail?supplier=weather&mishap=status|hang|malformed|empty|slow` makes one fail,
    `POST /heal` all of them well; `GET /calls` counts what was asked.
    """
    from services.training.sample.upstream.serve import (
        clock_from,
        sample_suppliers,
        serve_suppliers,
    )

    day = date.today() if today is None else today.date()
    try:
        suppliers = sample_suppliers(seed, day, clock_from(day), sales)
    except ValueError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    serve_suppliers(suppliers, host, port)
