"""Everything that is logged while it is watched, at the lowest level there is."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import structlog


class Logged(logging.Handler):
    """Keeps every line as a collector would get it."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self._lines: list[str] = []
        self.setFormatter(
            structlog.stdlib.ProcessorFormatter(
                processors=[
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.format_exc_info,
                    structlog.processors.JSONRenderer(default=str),
                ]
            )
        )
        self.count = 0

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(self.format(record))
        self.count += 1

    def taken(self) -> bytes:
        """What was logged since this was last asked."""
        lines, self._lines = self._lines, []
        return "\n".join(lines).encode()


@contextmanager
def logged_at_debug() -> Iterator[Logged]:
    root, kept = logging.getLogger(), Logged()
    level = root.level
    root.addHandler(kept)
    root.setLevel(logging.DEBUG)
    try:
        yield kept
    finally:
        root.setLevel(level)
        root.removeHandler(kept)
