"""The suite as a program of its own: it must start its server outside any event loop, and what it
is asked for here is what one would type."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

from tests.streams.faults.fleet import ROOT


@dataclass(frozen=True, slots=True)
class Ended:
    """How it ended, its figures, and what it said to people."""

    status: int
    figures: dict[str, Any]
    said: str


@dataclass(frozen=True, slots=True)
class Begun:
    process: "subprocess.Popen[str]"

    def end(self) -> Ended:
        answer, said = self.process.communicate()
        assert answer, said
        return Ended(self.process.returncode, json.loads(answer), said)


def begin(*arguments: str) -> Begun:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.streams.faults", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "client")))},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    return Begun(process)
