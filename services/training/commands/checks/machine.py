"""This machine: the model store, and the children that train."""

import logging
import os
from collections.abc import Callable
from pathlib import Path

from services.training.commands.checks.verdict import Verdict, failed, well
from services.training.queue.children import (
    ChildDied,
    ChildLimits,
    ChildRaised,
    Slot,
    fork_server,
)
from services.training.settings import Settings
from shared.artifacts import ArtifactError, open_store

CHILD_SECONDS = 60.0
ELSEWHERE = "make it writable, or set MORROW_MODEL_STORAGE_PATH to another place"


async def check_model_store(settings: Settings) -> Verdict:
    """It can be written to, now."""
    root = settings.model_root()
    if isinstance(root, Path) and not root.exists():
        return _check_future_store(root)
    try:
        await open_store(root).check()
    except ArtifactError as error:
        return failed(
            "model store",
            f"{error}; {ELSEWHERE}",
        )
    return well("model store", f"{root} can be written to")


def _check_future_store(root: Path) -> Verdict:
    """A directory that the service will make: this is no place to make it."""
    above = next(folder for folder in root.absolute().parents if folder.exists())
    if above.is_dir() and os.access(above, os.W_OK | os.X_OK):
        return well("model store", f"{root} will be made at the first start")
    return failed("model store", f"{root} cannot be made in {above}: {ELSEWHERE}")


async def check_children() -> Verdict:
    """A child starts under the limits of a training, and imports what it trains with."""
    slot = Slot(fork_server(["services.training.queue.preload"]), ChildLimits())
    try:
        version = await slot.run(first_words, None, lambda progress: None, CHILD_SECONDS)
    except (ChildDied, ChildRaised) as error:
        return failed(
            "children",
            f"a training child could not start and import prophet: {error}; "
            "install the release's packages anew (`make .venv`), or allow it more memory",
        )
    finally:
        slot.close()
    return well("children", f"a training child started and imported prophet {version}")


def first_words(argument: None, report: Callable[[object], None]) -> str:
    """What the child does: the version of prophet, whose optimiser it has loaded as well."""
    logging.getLogger("prophet.plot").setLevel(logging.CRITICAL)  # it misses plotly, we do not
    import prophet

    prophet.Prophet()  # loads its Stan binary
    return str(prophet.__version__)
