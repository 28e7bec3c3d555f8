"""Whether a revision would stop the traffic: squawk over its rendered SQL, part of `make lint`."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from migrations import configuration

OF_ALEMBIC = re.compile(r"CREATE TABLE alembic_version \(.*?\);", re.DOTALL)
RULES = Path(__file__).with_name("squawk.toml")


class SquawkFailed(Exception):
    """squawk is not there, or could not do its work."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """The SQL that brings a database up to `revision`, from the one before."""

    revision: str
    sql: str


def rendered(config: Config) -> list[Rendered]:
    """Every revision on the way up, the first one first."""
    steps = reversed(list(ScriptDirectory.from_config(config).walk_revisions()))
    return [
        _rendered(config, step.revision, f"{step.down_revision or 'base'}:{step.revision}")
        for step in steps
    ]


def _rendered(config: Config, revision: str, way: str) -> Rendered:
    config.output_buffer = StringIO()
    command.upgrade(config, way, sql=True)
    return Rendered(revision, OF_ALEMBIC.sub("", config.output_buffer.getvalue()))


def complaints(step: Rendered) -> str:
    """What squawk says of it; empty where it is well. Raises `SquawkFailed`."""
    said = subprocess.run(  # noqa: S603 - the locked program, on our own text
        [
            _program(),
            "--config",
            RULES,
            "--stdin-filepath",
            f"{step.revision}.sql",
            "--reporter",
            "gcc",
        ],
        input=step.sql,
        capture_output=True,
        text=True,
    )
    if said.returncode not in {0, 1} or (said.returncode == 1) != bool(said.stdout.strip()):
        raise SquawkFailed(f"squawk ended with {said.returncode}: {said.stderr or said.stdout}")
    return said.stdout


def _program() -> str:
    """The environment's own, else the one on the way."""
    places = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    found = shutil.which("squawk", path=places)
    if found is None:
        raise SquawkFailed("squawk is not installed: `make .venv` installs it")
    return found


def main() -> int:
    found = [complaints(step) for step in rendered(configuration(""))]
    print(*filter(None, found), sep="\n", file=sys.stderr, end="")
    return 1 if any(found) else 0


if __name__ == "__main__":
    raise SystemExit(main())
