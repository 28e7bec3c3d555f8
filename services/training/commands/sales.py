"""`morrow sales`: rows in."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.training.commands.calling import tenant_call
from services.training.commands.options import DEFAULT_URL, AsJson, Key, Url
from services.training.commands.sales_file import MEDIA_TYPES, Part, PartLimits, parts_of

if TYPE_CHECKING:
    from services.training.commands.answers import ImportReceipt, OwnTenant
    from services.training.commands.failures import Refused
    from services.training.commands.http import Api
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
    if file.suffix.lower() not in MEDIA_TYPES:
        known = ", ".join(MEDIA_TYPES)
        raise typer.BadParameter(f"{file.name} ends in none of {known}", param_hint="'FILE'")
    with tenant_call(url, key, as_json) as (api, screen):
        tenant: OwnTenant = api.get("/tenant")
        limits = PartLimits(tenant["limits"]["import_rows"], tenant["limits"]["body_bytes"])
        receipt = _send_all(api, screen, file, limits)
        screen.result(receipt, _told(receipt))


def _send_all(api: "Api", screen: "Screen", file: Path, limits: PartLimits) -> "ImportReceipt":
    from services.training.commands.failures import Refused
    from services.training.commands.progress import byte_bar, sent_chunks

    total: ImportReceipt = {"received": 0, "inserted": 0, "updated": 0, "unchanged": 0}
    size = file.stat().st_size
    with byte_bar(screen, file.name, size) as advance:
        read = 0.0
        for part in parts_of(file, limits):
            share = size * (part.read - read)
            try:
                answer: Mapping[str, Any] = api.send(
                    "/sales",
                    sent_chunks(part.body, advance, share),
                    {
                        "Content-Type": MEDIA_TYPES[file.suffix.lower()],
                        "Content-Length": str(len(part.body)),
                    },
                )
            except Refused as refused:
                raise _of_the_file(refused, part, total) from None
            total = _sum(total, answer)
            read = part.read
            screen.say(f"{total['received']} rows of {file.name} are in")
    return total


def _sum(total: "ImportReceipt", answer: Mapping[str, Any]) -> "ImportReceipt":
    """With what was answered for a part: what it did, or that it waits on the server's disk."""
    if "position" in answer:
        waiting = total.get("waiting", 0) + answer["received"]
        return {**total, "received": total["received"] + answer["received"], "waiting": waiting}
    return {
        **total,
        "received": total["received"] + answer["received"],
        "inserted": total["inserted"] + answer["inserted"],
        "updated": total["updated"] + answer["updated"],
        "unchanged": total["unchanged"] + answer["unchanged"],
    }


def _told(receipt: "ImportReceipt") -> str:
    told = (
        f"{receipt['received']} rows: {receipt['inserted']} new, {receipt['updated']} corrected, "
        f"{receipt['unchanged']} unchanged"
    )
    waiting = receipt.get("waiting", 0)
    if waiting:
        told += f", {waiting} kept on the server's disk until its database is back"
    return told


def _of_the_file(refused: "Refused", part: Part, kept: "ImportReceipt") -> "Refused":
    """The refusal with rows counted from the file's first, and what of the file is in already."""
    for error in refused.problem.get("errors", []):
        if "row" in error:
            error["row"] += part.rows_before
    if kept["received"]:
        refused.problem["detail"] += (
            f" (the {kept['received']} rows before row {part.rows_before + 1} were kept; "
            "sending them again changes nothing)"
        )
    return refused
