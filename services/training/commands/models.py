"""`morrow models`: trained versions, and their bytes."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from services.training.commands.calling import tenant_call
from services.training.commands.options import DEFAULT_URL, AsJson, Key, Url

if TYPE_CHECKING:
    from morrow.schemas.models import Alias

app = typer.Typer(help="List, verify, export and import models.", no_args_is_help=True)


@app.command("list")
def list_models(
    product: Annotated[str | None, typer.Option(help="only of this one")] = None,
    location: Annotated[str | None, typer.Option(help="only here")] = None,
    alias: Annotated[str | None, typer.Option(help="champion, previous, challenger, …")] = None,
    url: Url = DEFAULT_URL,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """List versions, the newest of a product first."""
    with tenant_call(url, key, as_json) as (client, screen):
        from rich.markup import escape

        from services.training.commands.job_tables import skill_text
        from services.training.commands.screen import table

        found = client.list_models(
            product=product, location=location, alias=cast("Alias | None", alias)
        )
        models = list(found)
        shown = table(
            *("id", "product", "location", "version", "family", "skill", "stage", "aliases"),
            *("trained through", "bytes"),
            right=("version", "skill", "bytes"),
        )
        for model in models:
            shown.add_row(
                *(model["id"], escape(model["product"]), escape(model["location"])),
                *(str(model["version"]), model["family"], skill_text(model["skill"])),
                *(model["stage"], ", ".join(model["aliases"]), model["trained_through"]),
                f"{model['bytes']:,}",
            )
        screen.result({"items": models}, shown)


@app.command()
def verify(url: Url = DEFAULT_URL, key: Key = None, as_json: AsJson = False) -> None:
    """Hash every artifact again; exit status 1 if one is damaged."""
    with tenant_call(url, key, as_json) as (client, screen):
        from services.training.commands.screen import table

        found = client.verify_models()
        corrupt = found["corrupt"]
        told = f"{found['checked']} artifacts checked, {len(corrupt)} damaged"
        if not corrupt:
            screen.result(found, told)
            return
        shown = table("model", "sha256", "found")
        for damage in corrupt:
            shown.add_row(damage["model_id"], damage["sha256"], damage["found"] or "nothing")
        screen.result(found, shown, f"{told} and put in quarantine: train those products again")
    raise typer.Exit(1)


@app.command()
def export(
    model_id: Annotated[str, typer.Argument(help="as `morrow models list` shows it")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="default: model-<id>.json.gz", dir_okay=False),
    ] = None,
    url: Url = DEFAULT_URL,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Write a model's bytes to a file, verified against their SHA-256."""
    path = output or Path(f"model-{model_id}.json.gz")
    with tenant_call(url, key, as_json) as (client, screen):
        from services.training.commands.failures import file_faults

        with file_faults(f"cannot write {path}"):
            found = client.download_artifact(model_id, path)
        told = {
            "model_id": model_id,
            "path": str(found.path),
            "bytes": found.bytes,
            "sha256": found.sha256,
        }
        screen.result(told, f"{path}: {found.bytes:,} bytes, SHA-256 {found.sha256}")


@app.command("import")
def import_model(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    product: Annotated[str | None, typer.Option(help="else the bundle's own")] = None,
    location: Annotated[str | None, typer.Option(help="else the bundle's own")] = None,
    url: Url = DEFAULT_URL,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Bring in a file of `models export`, or of Prophet's own JSON, as a challenger."""
    with tenant_call(url, key, as_json) as (client, screen):
        model = client.import_model(file, product=product, location=location)
        screen.result(
            model,
            f"version {model['version']} of {model['product']} at {model['location']} "
            f"({model['id']}) is {', '.join(model['aliases'])}",
        )
