"""What the README tells newcomers to run, run."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from morrow import Client
from tests.conftest import OPERATOR_KEY, Database
from tests.processes import Programs, programs_on

README = (Path(__file__).parents[1] / "README.md").read_text()
ADDRESS = "http://127.0.0.1:8000"


def found(pattern: str) -> str:
    """The one piece of the README that it matches."""
    [piece] = re.findall(pattern, README, re.DOTALL)
    assert isinstance(piece, str)
    return piece


@pytest.fixture
def programs(database: Database, tmp_path: Path) -> Iterator[Programs]:
    with programs_on(database, tmp_path) as opened:
        opened.serve()
        opened.work()
        yield opened


def key_of_a_bakery(programs: Programs) -> str:
    with Client(programs.address, OPERATOR_KEY) as operator:
        made = operator.create_tenant("Corner Bakery", country="DE", timezone="Europe/Berlin")
    return made["api_key"]


def test_the_client_does_what_it_says(programs: Programs, tmp_path: Path) -> None:
    """From the sales to the forecast, as it stands there, but for the port."""
    environ = {**os.environ, "MORROW_API_KEY": key_of_a_bakery(programs)}

    def run(program: str) -> str:
        here = program.replace(ADDRESS, programs.address)
        return subprocess.run(
            [sys.executable, "-c", here],
            cwd=tmp_path,
            env=environ,
            text=True,
            check=True,
            stdout=subprocess.PIPE,
        ).stdout

    (tmp_path / "sales.csv").write_text(run(found(r"python3 -c '\n([^']*)' > sales\.csv")))
    told = run(found(r"```python\n(.*?)```")).splitlines()
    assert "120 new, 0 unchanged" in told
    assert "100.0 %  1 series: 1 trained" in told
    assert [line.split()[0] for line in told[-2:]] == ["2026-09-29", "2026-09-30"]
