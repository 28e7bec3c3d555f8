"""`morrow sales`: rows in."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.training.commands.calling import tenant_call
from services.training.commands.options import DEFAULT_URL, AsJson, Key, Url

if TYPE_CHECKING:
    from morrow import Client, Imported
    from services.training.commands.screen import Screen

app = typer.Typer(help="Load sales.", no_args_is_help=True)


@app.callback()
def sales() -> None:
    """Load sales."""


@app.command("import")
def import_sales(
    file: Annotated[
        Path,
        typer.Argument(exists=True, dir_okay=False, help=".csv, .ndjson, .json or .parquet"),
    ],
    url: Url = DEFAULT_URL,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Load a file of sales; a row sent again replaces the one of its day.

    All or nothing; a file of more rows than an import may hold goes in several, each all or
    nothing.
    """
    from morrow.importing.files import media_type_of

    try:
        media_type_of(file)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="'FILE'") from None
    with tenant_call(url, key, as_json) as (client, screen):
        done = _send(client, screen, file)
        screen.result(done, _told(done))


def _send(client: "Client", screen: "Screen", file: Path) -> "Imported":
    from services.training.commands.progress import share_bar

    with share_bar(screen, file.name) as reach:
        return client.import_sales_file(file, progress=lambda far: reach(far.share or 0.0))


def _told(done: "Imported") -> str:
    told = (
        f"{done['received']} rows: {done['inserted']} new, {done['updated']} corrected, "
        f"{done['unchanged']} unchanged"
    )
    if done["waiting"]:
        told += f", {done['waiting']} kept on the server's disk until its database is back"
    return told
