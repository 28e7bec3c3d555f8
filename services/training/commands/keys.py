"""`morrow keys`: a tenant's API keys, and, for the operator, one for who has lost theirs."""

from typing import TYPE_CHECKING, Annotated

import typer

from services.training.commands.calling import operator_call, tenant_call
from services.training.commands.options import (
    DEFAULT_DATA_DIR,
    DEFAULT_URL,
    AsJson,
    Key,
    OperatorDataDir,
    Url,
)
from shared.auth import Scope

if TYPE_CHECKING:
    from morrow.schemas import ApiKeyCreated
    from morrow.schemas.tenants import Scope as ScopeName
    from services.training.commands.screen import Screen

app = typer.Typer(help="List, make, rotate and revoke API keys.", no_args_is_help=True)

KeyId = Annotated[str, typer.Argument(help="as `morrow keys list` shows it")]
Name = Annotated[str, typer.Argument(help="what it is for: till")]
Scopes = Annotated[list[Scope], typer.Option("--scope", help="once for each")]
Expiry = Annotated[
    str | None, typer.Option("--expires-at", help="RFC 3339: 2027-01-31T00:00:00Z; default: never")
]


@app.command("list")
def list_keys(url: Url = DEFAULT_URL, key: Key = None, as_json: AsJson = False) -> None:
    """List the tenant's keys."""
    with tenant_call(url, key, as_json) as (client, screen):
        from rich.markup import escape

        from services.training.commands.screen import table

        keys = list(client.list_keys())
        shown = table("id", "prefix", "name", "scopes", "last used", "expires", "replaced by")
        for one in keys:
            times = [(one[name] or "never")[:16] for name in ("last_used_at", "expires_at")]
            scopes = " ".join(one["scopes"])
            replaced = one["replaced_by"] or ""
            shown.add_row(one["id"], one["prefix"], escape(one["name"]), scopes, *times, replaced)
        screen.result({"items": keys}, shown)


@app.command()
def create(
    name: Name,
    scope: Scopes,
    expires_at: Expiry = None,
    url: Url = DEFAULT_URL,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Make a key with scopes that yours has, and show it, this once."""
    with tenant_call(url, key, as_json) as (client, screen):
        _show(screen, client.create_key(name, words(scope), expires_at=expires_at))


@app.command()
def rotate(
    key_id: KeyId,
    overlap_seconds: Annotated[
        int, typer.Option(min=0, help="how long the old one goes on; 0: it ends at once")
    ] = 86_400,
    url: Url = DEFAULT_URL,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Make a key in the place of one, with its scopes, and show it, this once."""
    with tenant_call(url, key, as_json) as (client, screen):
        _show(screen, client.rotate_key(key_id, overlap_seconds=overlap_seconds))


@app.command()
def revoke(key_id: KeyId, url: Url = DEFAULT_URL, key: Key = None, as_json: AsJson = False) -> None:
    """End a key, at once and everywhere."""
    with tenant_call(url, key, as_json) as (client, screen):
        client.revoke_key(key_id)
        screen.result({"id": key_id, "revoked": True}, f"key {key_id} is revoked")


@app.command()
def recover(
    tenant_id: Annotated[str, typer.Argument(help="as `morrow tenants list` shows it")],
    name: Name = "found again",
    scope: Scopes = [Scope.ADMIN],  # noqa: B006 - typer copies it
    expires_at: Expiry = None,
    url: Url = DEFAULT_URL,
    data_dir: OperatorDataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """For the operator: make a key for a tenant that has lost its own. Both records tell of it."""
    with operator_call(url, data_dir, as_json) as (client, screen):
        made = client.create_key_for_tenant(tenant_id, name, words(scope), expires_at=expires_at)
        _show(screen, made)


def words(scopes: "list[Scope]") -> "list[ScopeName]":
    return [scope.value for scope in scopes]


def _show(screen: "Screen", made: "ApiKeyCreated") -> None:
    scopes = " ".join(made["scopes"])
    screen.result(made, f"key {made['id']} ({scopes})", f"shown this once: {made['key']}")
