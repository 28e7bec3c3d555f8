"""The run as a program of its own: it starts its server outside any event loop, and what it is
asked for here is what one would type."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

from tests.infrastructure.kubelet.node import ROOT


@dataclass(frozen=True, slots=True)
class Ended:
    """How it ended, its figures, and what it said to people."""

    status: int
    figures: dict[str, Any]
    said: str


def run_kubelet(*arguments: str) -> Ended:
    ran = subprocess.run(
        [sys.executable, "-m", "tests.infrastructure.kubelet", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "client")))},
        capture_output=True,
        text=True,
    )
    assert ran.stdout, ran.stderr
    return Ended(ran.returncode, json.loads(ran.stdout), ran.stderr)
