"""The `morrow` command as tests call it."""

import json
from typing import Any

from click.testing import Result
from typer.testing import CliRunner

from services.training.cli import app

VARIABLES = ("URL", "API_KEY", "OPERATOR_KEY", "DATABASE_URL", "MODEL_STORAGE_PATH")
NOTHING_SET: dict[str, str | None] = {f"MORROW_{name}": None for name in VARIABLES}


def morrow(*arguments: str, **variables: str) -> Result:
    """Run it with exactly these variables of Morrow's (URL=..., API_KEY=...)."""
    named = {f"MORROW_{name}": value for name, value in variables.items()}
    return CliRunner().invoke(app, list(arguments), env={**NOTHING_SET, **named})


def answer(result: Result) -> Any:
    """The JSON on standard output of a command that worked."""
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)
