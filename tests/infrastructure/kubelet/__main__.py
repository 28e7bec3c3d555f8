"""`python -m tests.infrastructure.kubelet`: a rolling update under traffic, as the production
manifests have it, and what came of it as JSON.

    python -m tests.infrastructure.kubelet [--apis 3] [--workers 2] [--rate 200] [--mutant NAME]

Ends with 1 where a promise is broken.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from dataclasses import asdict, fields
from pathlib import Path

import uvloop

from infrastructure.kubernetes.checks.manifests import Manifests
from infrastructure.kubernetes.checks.rendering import OVERLAYS, render, renderers
from shared.logging import configure_logging
from tests.chaos.database import Database
from tests.infrastructure.kubelet.outcome import Outcome
from tests.infrastructure.kubelet.plan import MUTANTS, Plan
from tests.infrastructure.kubelet.run import Tell, opened


def main() -> int:
    configure_logging("warning", console=False)
    plan = _plan()
    began = time.monotonic()

    def tell(what: str) -> None:
        print(f"{time.monotonic() - began:6.1f} s  {what}", file=sys.stderr, flush=True)

    manifests = render(OVERLAYS / "production", renderers())
    with tempfile.TemporaryDirectory(prefix="morrow-kubelet-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        database = Database(folder / "pg")
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                outcome = runner.run(_go(plan, manifests, folder, database, tell))
        finally:
            database.close()
    broken = outcome.broken()
    print(json.dumps({**asdict(plan), **outcome.figures(), "broken": broken}))
    if broken:
        print(f"broken: {'; '.join(broken)}", file=sys.stderr)
    return 1 if broken else 0


async def _go(
    plan: Plan, manifests: Manifests, folder: Path, database: Database, tell: Tell
) -> Outcome:
    async with opened(plan, manifests, folder, database, tell) as run:
        return await run.go()


def _plan() -> Plan:
    parser = argparse.ArgumentParser(prog="tests.infrastructure.kubelet", description=__doc__)
    usual = Plan()
    for field in fields(Plan):
        value = getattr(usual, field.name)
        if field.name == "faults":
            parser.add_argument("--faults", action="store_true", help="go on with faults")
        elif field.name == "mutant":
            parser.add_argument("--mutant", choices=[*MUTANTS], help="run with this fault")
        else:
            parser.add_argument(
                f"--{field.name.replace('_', '-')}", type=type(value), default=value
            )
    return Plan(**vars(parser.parse_args()))


if __name__ == "__main__":
    sys.exit(main())
