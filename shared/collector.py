"""Short pauses for the garbage collector in a process that keeps much for long.

A full collection looks at everything that is kept, and nothing else happens meanwhile: 0.3 s in an
API process with a thousand sockets, again and again. Here it looks at what came since the last one,
and at everything only every ten minutes, so that cycles among what has been kept go as well.
"""

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

OLDEST: Final = 2
WHOLE_SECONDS: Final = 600.0


@contextmanager
def short_collections(whole_seconds: float = WHOLE_SECONDS) -> Iterator[None]:
    """For as long as the body runs; everything is looked at every `whole_seconds`, if at all."""
    whole_at = time.monotonic() + whole_seconds

    def look(phase: str, about: dict[str, Any]) -> None:
        nonlocal whole_at
        if about["generation"] != OLDEST:
            return
        if phase == "stop":
            gc.freeze()
        elif time.monotonic() >= whole_at:
            whole_at = time.monotonic() + whole_seconds
            gc.unfreeze()

    gc.callbacks.append(look)
    gc.collect()
    try:
        yield
    finally:
        gc.callbacks.remove(look)
        gc.unfreeze()
