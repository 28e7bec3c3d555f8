"""The core computes: it reaches no database, no network and no event loop."""

from __future__ import annotations

import subprocess
import sys


def test_importing_the_whole_core_loads_no_outside_world() -> None:
    code = (
        "import sys\n"
        "from services.training.demand import assembly, bundle, quality, train\n"
        "outside = {'sqlalchemy', 'asyncpg', 'fastapi', 'httpx', 'structlog', 'asyncio'}\n"
        "found = (outside | {'prophet', 'optuna', 'lightgbm'}) & set(sys.modules)\n"
        "print(sorted(found))\n"
        "sys.exit(1 if found else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
