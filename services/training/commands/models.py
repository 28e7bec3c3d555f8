"""`morrow models`: trained versions, and their bytes."""

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.training.commands.calling import tenant_call
from services.training.commands.options import DEFAULT_URL, AsJson, Key, Url

if TYPE_CHECKING:
    from services.training.commands.answers import Model, Verification
    from services.training.commands.http import Api

CHUNK_BYTES = 1024 * 1024

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
    with tenant_call(url, key, as_json) as (api, screen):
        from rich.markup import escape

        from services.training.commands.screen import table
        from services.training.commands.train import skill_text

        asked = {"product": product, "location": location, "alias": alias}
        models: list[Model] = list(api.items("/models", asked))
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
    with tenant_call(url, key, as_json) as (api, screen):
        from services.training.commands.screen import table

        found: Verification = api.post("/models/verify")
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
    with tenant_call(url, key, as_json) as (api, screen):
        sha256, size = _download(api, model_id, path)
        told = {"model_id": model_id, "path": str(path), "bytes": size, "sha256": sha256}
        screen.result(told, f"{path}: {size:,} bytes, SHA-256 {sha256}")


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
    with tenant_call(url, key, as_json) as (api, screen), file.open("rb") as opened:
        digest = base64.b64encode(hashlib.file_digest(opened, "sha256").digest()).decode()
        opened.seek(0)
        size = file.stat().st_size
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Length": str(size),
            "Repr-Digest": f"sha-256=:{digest}:",
        }
        asked = {"product": product, "location": location}
        model: Model = api.send(
            "/models/import", iter(lambda: opened.read(CHUNK_BYTES), b""), headers, asked
        )
        screen.result(
            model,
            f"version {model['version']} of {model['product']} at {model['location']} "
            f"({model['id']}) is {', '.join(model['aliases'])}",
        )


def _download(api: "Api", model_id: str, path: Path) -> tuple[str, int]:
    """The digest and size of what was written; nothing stays where the digest is another."""
    from services.training.commands.failures import WorkFailed

    partial = path.with_name(f".{path.name}.partial")
    try:
        with api.stream(f"/models/{model_id}/artifact") as answer:
            promised = answer.headers["etag"].strip('"')
            found, size = _write(answer.iter_raw(CHUNK_BYTES), partial)
        if found != promised:
            raise WorkFailed(
                "digest_mismatch",
                f"the bytes received have SHA-256 {found}, promised was {promised}: try again",
            )
        partial.replace(path)
    except OSError as error:
        raise WorkFailed("file_refused", f"cannot write {path}: {error.strerror}") from None
    finally:
        partial.unlink(missing_ok=True)
    return found, size


def _write(chunks: Iterator[bytes], path: Path) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    with path.open("wb") as file:
        for chunk in chunks:
            file.write(chunk)
            digest.update(chunk)
            size += len(chunk)
    return digest.hexdigest(), size
