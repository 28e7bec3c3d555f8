"""The `morrow` command, which leaves behind what it had imported when it ended; and what a child
has."""

import atexit
import os
import sys
from collections.abc import Callable
from pathlib import Path


def modules(_: None, report: Callable[[object], None]) -> list[str]:
    return sorted(sys.modules)


def _leave(folder: str) -> None:
    Path(folder, f"modules-{os.getpid()}").write_text("\n".join(sys.modules))


if __name__ == "__main__":
    from services.training.cli import main

    atexit.register(_leave, os.environ["MORROW_TEST_FOLDER"])
    main()
