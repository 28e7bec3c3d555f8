"""`python -m tests.streams.faults`: jobs watched under faults, and what was told of them, as JSON.

    python -m tests.streams.faults [--seed N] [--watchers 200] [--seconds 16] [--mutant NAME]

The schedule is a function of the seed. Ends with 1 where a promise is broken.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict, fields
from pathlib import Path

from shared.logging import configure_logging
from tests.mutants import mutated_tree
from tests.streams.faults.fleet import ROOT
from tests.streams.faults.mutants import MUTANTS
from tests.streams.faults.outcome import Outcome, Plan
from tests.streams.faults.schedule import ALL, Faults

PLANNED = {
    "seed": 2026,
    "watchers": 200,
    "seconds": 16.0,
    "apis": 2,
    "slow": 3,
    "patience": 20.0,
}


def main() -> int:
    configure_logging("warning", console=False)
    asked = _arguments()
    if asked.mutant is not None:
        return _run_mutant(asked.mutant)
    counts = {name.name: getattr(asked, name.name) for name in fields(Faults)}
    given = {name: getattr(asked, name) for name in PLANNED}
    plan = Plan(**given, faults=Faults(**counts))
    outcome = _run(plan)
    broken = outcome.broken(plan)
    print(json.dumps({**asdict(plan), **outcome.figures(), "broken": broken}))
    if broken:
        again = " ".join(["python -m tests.streams.faults", *sys.argv[1:]])
        print(*(lines[0] for lines in outcome.errors.values()), sep="\n", file=sys.stderr)
        print(f"broken: {'; '.join(broken)}\nagain: {again}", file=sys.stderr)
    return 1 if broken else 0


def _run(plan: Plan) -> Outcome:
    from tests.streams.faults.run import opened  # which imports the whole service

    with opened(plan) as run:
        return run.go()


def _run_mutant(name: str) -> int:
    """The same from a copy of the sources without this guard."""
    given = sys.argv[1:]
    at = given.index("--mutant")
    with tempfile.TemporaryDirectory() as folder:
        tree = mutated_tree(ROOT, Path(folder), *MUTANTS[name])
        again = [sys.executable, "-m", "tests.streams.faults", *given[:at], *given[at + 2 :]]
        path = os.pathsep.join((str(tree), str(tree / "client")))
        return subprocess.run(again, cwd=tree, env={**os.environ, "PYTHONPATH": path}).returncode


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.streams.faults", description=__doc__)
    for name, value in PLANNED.items():
        parser.add_argument(f"--{name}", type=type(value), default=value)
    for name, count in asdict(ALL).items():
        parser.add_argument(f"--{name}", type=int, default=count)
    parser.add_argument("--mutant", choices=[*MUTANTS], help="run a copy without this guard")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
