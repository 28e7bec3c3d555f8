"""Whether processes live, for tests that end them."""

import time
from pathlib import Path

PATIENCE_SECONDS = 20.0


def runs(pid: int) -> bool:
    """Whether the process exists and has not ended; one that nobody reaped yet has."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] not in "ZX"


def all_end(pids: list[int]) -> bool:
    """Whether all of them end within the time a test has."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while any(map(runs, pids)):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
