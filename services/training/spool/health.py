"""What the spool has to say for itself when asked whether all is well."""

import asyncio
import tempfile
import time

from services.training.spool.shelf import Shelf, Tally
from services.training.spool.spool import Spool
from shared.health import Well


async def state_of_spool(spool: Spool) -> str | Well | None:
    """What waits, which is no fault; a disk that cannot be written to is one."""
    try:
        tally = await asyncio.to_thread(_looked_at, spool.shelf)
    except OSError as error:
        return f"batches could not be kept: {error.strerror or error}"
    if not (tally.batches or tally.rejected):
        return None
    age = 0 if tally.oldest_at is None else max(0, time.time() - tally.oldest_at)
    return Well(
        f"{tally.batches} batches of {tally.bytes} bytes wait, the oldest for {age:.0f} s; "
        f"{tally.rejected} were rejected and are kept"
    )


def _looked_at(shelf: Shelf) -> Tally:
    with tempfile.TemporaryFile(dir=shelf.root) as file:
        file.write(b"1")
    return shelf.tally()
