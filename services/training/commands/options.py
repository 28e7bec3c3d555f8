"""The options that commands share, each declared once."""

from pathlib import Path
from typing import Annotated

import typer

DEFAULT_URL = "http://127.0.0.1:8000"
DEFAULT_DATA_DIR = Path(".morrow")

Url = Annotated[str, typer.Option("--url", envvar="MORROW_URL", help="where the API is")]
Key = Annotated[
    str | None,
    typer.Option(
        "--key",
        envvar="MORROW_API_KEY",
        show_default=False,
        help="the tenant's API key; prefer the variable: every user of a machine can list the "
        "options of its processes",
    ),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="for machines: one JSON value, alone on standard output")
]
OperatorDataDir = Annotated[
    Path,
    typer.Option(
        "--data-dir", help="whose operator.key is used when MORROW_OPERATOR_KEY is not set"
    ),
]
BackupPlace = Annotated[
    str,
    typer.Argument(
        metavar="PLACE",
        envvar="MORROW_BACKUP_PLACE",
        help="a directory, or s3://bucket/prefix (AWS_*)",
    ),
]
MorrowDataDir = Annotated[
    Path, typer.Option("--data-dir", help="of `morrow up`, unless MORROW_DATABASE_URL is set")
]
PgBindir = Annotated[
    Path | None,
    typer.Option(
        envvar="MORROW_PG_BINDIR",
        help="where pg_dump and pg_restore are, as new as the server; default: the wheel's",
    ),
]
