"""The suite as a program of its own: it must start its server outside any event loop, and what it
is asked for here is what one would type."""

import json
import os
import subprocess
import sys
from typing import Any

from tests.chaos.run import ROOT


def run_chaos(*arguments: str) -> tuple[int, dict[str, Any], str]:
    """How it ended, its figures, and what it said to people."""
    ended = subprocess.run(
        [sys.executable, "-m", "tests.chaos", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert ended.stdout, ended.stderr
    return ended.returncode, json.loads(ended.stdout), ended.stderr
