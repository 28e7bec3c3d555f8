"""Run `morrow up` with stand-ins for its programs: `start_up.py DATA_DIR PORT [WHAT...]`.

WHAT are the names of the stand-ins for migrate, serve and worker.
"""

import os
import sys
from dataclasses import replace
from pathlib import Path

from services.training.up import Commands, UpOptions, run_up
from shared.postgres import EmbeddedPostgres
from shared.processes.supervised import RestartPolicy

STAND_IN = (sys.executable, str(Path(__file__).with_name("stand_in.py")))


def main(data_dir: str, port: str, *names: str) -> int:
    reports = Path(data_dir).with_name("reports")
    reports.mkdir(exist_ok=True)
    migrate, serve, worker = ((*STAND_IN, name, str(reports)) for name in names)
    options = UpOptions(
        port=int(port),
        data_dir=Path(data_dir),
        workers=2,
        grace_seconds=float(os.environ.get("GRACE_SECONDS", "30")),
        restart=RestartPolicy(first_delay=0.05, largest_delay=0.2),
        postgres=EmbeddedPostgres(fsync=False),
        commands=replace(Commands(), migrate=migrate, serve=serve, worker=worker),
    )
    return run_up(options, os.environ)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
