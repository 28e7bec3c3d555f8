"""`morrow tenants`: for the operator."""

import sys
from typing import TYPE_CHECKING, Annotated, cast

import typer

from services.training.commands.calling import operator_call
from services.training.commands.options import (
    DEFAULT_DATA_DIR,
    DEFAULT_URL,
    AsJson,
    OperatorDataDir,
    Url,
)

if TYPE_CHECKING:
    from morrow.schemas import ErasureReceipt
    from morrow.schemas.tenants import Plan

app = typer.Typer(help="Make, list and erase tenants; for the operator.", no_args_is_help=True)


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="what people call it")],
    country: Annotated[str, typer.Option(help="ISO 3166, for its holidays: DE")],
    timezone: Annotated[str, typer.Option(help="IANA: Europe/Berlin")],
    subdivision: Annotated[str | None, typer.Option(help="ISO 3166-2 after the dash: BW")] = None,
    latitude: Annotated[float | None, typer.Option(min=-90, max=90)] = None,
    longitude: Annotated[float | None, typer.Option(min=-180, max=180)] = None,
    currency: Annotated[str | None, typer.Option(help="ISO 4217: EUR")] = None,
    plan: Annotated[str, typer.Option(help="standard or unlimited")] = "standard",
    url: Url = DEFAULT_URL,
    data_dir: OperatorDataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Make a tenant, and show its first API key, this once."""
    with operator_call(url, data_dir, as_json) as (client, screen):
        made = client.create_tenant(
            name,
            country=country,
            timezone=timezone,
            subdivision=subdivision,
            latitude=latitude,
            longitude=longitude,
            currency=currency,
            plan=cast("Plan", plan),
        )
        screen.result(
            made,
            f"tenant {made['tenant']['slug']} ({made['tenant']['id']})",
            f"its API key, shown this once: {made['api_key']}",
            "next: put it into MORROW_API_KEY, then `morrow sales import FILE`",
        )


@app.command("list")
def list_tenants(
    url: Url = DEFAULT_URL,
    data_dir: OperatorDataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """List every tenant."""
    with operator_call(url, data_dir, as_json) as (client, screen):
        from rich.markup import escape

        from services.training.commands.screen import table

        tenants = list(client.list_tenants())
        shown = table("id", "slug", "name", "region", "time zone", "plan", "since")
        for tenant in tenants:
            region = "-".join(filter(None, (tenant["country"], tenant["subdivision"])))
            shown.add_row(
                *(tenant["id"], tenant["slug"], escape(tenant["name"]), region, tenant["timezone"]),
                *(tenant["plan"], tenant["created_at"][:10]),
            )
        screen.result({"items": tenants}, shown)


@app.command()
def erase(
    tenant_id: Annotated[str, typer.Argument(help="as `morrow tenants list` shows it")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="count, and erase nothing")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
    url: Url = DEFAULT_URL,
    data_dir: OperatorDataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Erase a tenant: rows, keys and artifacts; there is no way back."""
    if not dry_run and not yes:
        _ask(tenant_id)
    with operator_call(url, data_dir, as_json) as (client, screen):
        from services.training.commands.screen import table

        receipt = client.erase_tenant(tenant_id, dry_run=dry_run)
        counts = table("table", "rows", right=("rows",))
        for name, count in receipt["rows"].items():
            counts.add_row(name, str(count))
        counts.add_row("[dim]artifacts[/]", str(receipt["artifacts"]))
        counts.add_row("[dim]batches that waited[/]", str(receipt["spooled"]))
        counts.add_row("[dim]entries of the audit log, emptied[/]", str(receipt["audit_entries"]))
        screen.result(receipt, counts, _outcome(receipt))
        if receipt["remaining"]:
            raise typer.Exit(1)


def _outcome(receipt: "ErasureReceipt") -> str:
    rows = f"{sum(receipt['rows'].values())} rows"
    if receipt["dry_run"]:
        return f"{rows} would be erased"
    if receipt["remaining"]:
        left = ", ".join(f"{count} in {place}" for place, count in receipt["remaining"].items())
        return f"{rows} erased, but there are still {left}: it goes on, or ask again"
    return f"{rows} erased, and nothing is left; receipt {receipt['digest']}"


def _ask(tenant_id: str) -> None:
    if not sys.stdin.isatty():
        raise typer.BadParameter("nobody can be asked here: add --yes", param_hint="'--yes'")
    typer.confirm(f"Erase everything of tenant {tenant_id}?", abort=True, err=True)
