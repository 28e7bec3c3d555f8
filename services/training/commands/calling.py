"""A command that calls the API: its screen and its connection, opened together."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from morrow import Client
    from services.training.commands.screen import Screen


@contextmanager
def tenant_call(url: str, key: str | None, as_json: bool) -> "Iterator[tuple[Client, Screen]]":
    """The API with a tenant's key. Without one: a usage error, exit status 2."""
    if not key:
        raise typer.BadParameter(
            "no API key: set MORROW_API_KEY; `morrow tenants create` makes a tenant with one",
            param_hint="'--key'",
        )
    with _call(url, key, as_json) as call:
        yield call


@contextmanager
def operator_call(url: str, data_dir: Path, as_json: bool) -> "Iterator[tuple[Client, Screen]]":
    """The API with the operator's key, from the environment or the data directory."""
    with _call(url, operator_key(data_dir), as_json) as call:
        yield call


@contextmanager
def _call(url: str, key: str, as_json: bool) -> "Iterator[tuple[Client, Screen]]":
    from morrow import Client
    from services.training.commands.screen import screen

    try:
        opened = Client(url, key)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    with screen(as_json) as shown, opened as client:
        yield client, shown


def operator_key(data_dir: Path) -> str:
    """The operator's key; a usage error, exit status 2, where there is none."""
    given = os.environ.get("MORROW_OPERATOR_KEY")
    if given:
        return given
    path = data_dir / "operator.key"
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise typer.BadParameter(
            f"no operator key: {path}: {error.strerror}; set MORROW_OPERATOR_KEY, or name the "
            "directory of `morrow up`",
            param_hint="'--data-dir'",
        ) from None
