"""`python -m tests.chaos`: tasks under faults, and what came of them as JSON.

    python -m tests.chaos [--seed N] [--tasks 50000] [--faults 2000]
        [--kinds KIND ...] [--patience SECONDS] [--long-every N] [--mutant NAME]

The schedule is a function of the seed. Ends with 1 where a promise is broken.
"""

import argparse
import json
import sys
import tempfile
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tests.chaos.mutants import MUTANTS
from tests.chaos.orders import LONG_EVERY
from tests.chaos.run import PATIENCE_SECONDS, ROOT, Outcome, Plan, opened
from tests.chaos.schedule import Kind
from tests.mutants import mutated_tree


def main() -> int:
    asked = _arguments()
    plan = Plan(
        asked.seed, asked.tasks, asked.faults, tuple(asked.kinds), asked.patience, asked.long_every
    )
    outcome = _run(plan, asked.mutant)
    broken = outcome.broken(plan)
    mutant = {"mutant": asked.mutant} if asked.mutant else {}
    print(json.dumps({**asdict(plan), **mutant, **outcome.figures(), "broken": broken}))
    if broken:
        again = plan.command + (f" --mutant {asked.mutant}" if asked.mutant else "")
        print(f"broken: {'; '.join(broken)}\nagain: {again}", file=sys.stderr)
    return 1 if broken else 0


def _run(plan: Plan, mutant: str | None) -> Outcome:
    copy = nullcontext(None) if mutant is None else tempfile.TemporaryDirectory()
    with _bar() as bar, copy as folder:
        tree = ROOT if mutant is None else mutated_tree(ROOT, Path(folder or ""), MUTANTS[mutant])
        tasks = bar.add_task("tasks", total=plan.tasks)
        faults = bar.add_task("faults", total=plan.faults)

        def show(effects: int, dealt: int) -> None:
            bar.update(tasks, completed=effects)
            bar.update(faults, completed=dealt)

        with opened(plan, tree, show) as run:
            return run.go()


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--tasks", type=int, default=50_000)
    parser.add_argument("--faults", type=int, default=2_000)
    parser.add_argument("--kinds", type=Kind, choices=[*Kind], nargs="+", default=[*Kind])
    parser.add_argument("--patience", type=float, default=PATIENCE_SECONDS)
    parser.add_argument("--long-every", type=int, default=LONG_EVERY)
    parser.add_argument("--mutant", choices=[*MUTANTS], help="run a copy without this guard")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
