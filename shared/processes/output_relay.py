"""What a child says, passed on as it comes, and its last lines kept for a report."""

import threading
from collections import deque
from typing import IO

KEPT_LINES = 40


class OutputRelay:
    """Copies lines from a child's pipe to `sink` until the last writer has closed it."""

    def __init__(self, pipe: IO[bytes], sink: IO[bytes]) -> None:
        self._lines: deque[bytes] = deque(maxlen=KEPT_LINES)
        self._thread = threading.Thread(target=self._copy, args=(pipe, sink), daemon=True)
        self._thread.start()

    def last_lines(self) -> str:
        """The last lines said; waits a moment for those still under way from an ended child."""
        self._thread.join(timeout=1)
        return b"".join(tuple(self._lines)).decode(errors="replace").rstrip()

    def _copy(self, pipe: IO[bytes], sink: IO[bytes]) -> None:
        """A closed sink is no reason to stop reading: the child would block on a full pipe."""
        listening = True
        with pipe:
            for line in pipe:
                self._lines.append(line)
                if listening:
                    listening = _written(sink, line)


def _written(sink: IO[bytes], line: bytes) -> bool:
    try:
        sink.write(line)
        sink.flush()
    except OSError:
        return False
    return True
