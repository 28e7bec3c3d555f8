"""What the demo runs on: `morrow up`, and `morrow sample-upstream` to pull from."""

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import date
from pathlib import Path

from services.training.commands.demonstration.ready import ReadyProgram, ready_program
from services.training.up.address import PortTaken, free_port

HOST = "127.0.0.1"


def embedded_morrow(
    data_dir: Path, port: int, environ: Mapping[str, str]
) -> AbstractContextManager[ReadyProgram]:
    """Everything of `morrow up` in `data_dir`, that may call suppliers at private addresses as
    well: the sample's are at one. Any free port if `port` is taken."""
    data_dir.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
    arguments = ("--host", HOST, "--port", str(_free_port(port)), "--data-dir", str(data_dir))
    allowed = {**environ, "MORROW_ALLOW_PRIVATE_UPSTREAMS": "true"}
    return ready_program("up", arguments, data_dir / "up.log", allowed)


def sample_suppliers(
    data_dir: Path, today: date, environ: Mapping[str, str]
) -> AbstractContextManager[ReadyProgram]:
    """The sample's suppliers at any free port; its sales end the day before `today`."""
    arguments = ("--host", HOST, "--port", "0", "--today", today.isoformat())
    return ready_program("sample-upstream", arguments, data_dir / "suppliers.log", environ)


def _free_port(wanted: int) -> int:
    try:
        return free_port(HOST, wanted)
    except PortTaken:
        return free_port(HOST, 0)
