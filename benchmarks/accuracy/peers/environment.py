"""Where the peers' environment is, and how it is made: `python -m benchmarks.accuracy.peers`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
LOCK = Path(__file__).with_name("requirements.lock")
ENVIRONMENT = ROOT / ".venv-peers"


class PeersNotInstalled(LookupError):
    """The peers' environment has not been made."""

    def __init__(self) -> None:
        super().__init__(
            f"no {ENVIRONMENT.name} beside the sources: "
            "make it by `python -m benchmarks.accuracy.peers`"
        )


def interpreter() -> Path:
    """The Python that has the peers; raises `PeersNotInstalled`."""
    found = ENVIRONMENT / "bin" / "python"
    if not found.exists():
        raise PeersNotInstalled
    return found


def make_environment() -> None:
    """Makes it from the hash-pinned lock, with the Python that runs this."""
    subprocess.run(  # noqa: S603 - this Python
        [sys.executable, "-m", "venv", "--clear", str(ENVIRONMENT)], check=True
    )
    (ENVIRONMENT / ".gitignore").write_text("*\n")
    pip = [str(ENVIRONMENT / "bin" / "pip"), "install", "--quiet", "--require-hashes"]
    subprocess.run([*pip, "--requirement", str(LOCK)], check=True)  # noqa: S603 - its own pip


def single_threaded() -> dict[str, str]:
    """The environment variables under which a peer's CPU time is that of one thread."""
    threads = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
    return {**os.environ, **dict.fromkeys(threads, "1")}
