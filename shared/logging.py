"""Structured logs: JSON for collectors, colours on a terminal; context bound once per request.

Whoever writes what, an event is one line, and no line holds a secret (`redaction.py`)."""

import logging
import math
import sys
from collections.abc import Callable, Iterable
from types import TracebackType

import structlog

from shared.redaction import CUT, IS_SENSITIVE, escaped, redactor, shortened
from shared.tracing import log_ids

MOST_CHARACTERS = 20_000


def configure_logging(level: str, console: bool, secrets: Iterable[str] = ()) -> None:
    """Send structlog and the standard library's records through one renderer to stderr, as well as
    what ends the process. `secrets` are cut out wherever they occur.

    Tracebacks are plain: one that shows local variables would show keys and sales."""
    shared: list[structlog.typing.Processor] = [
        _with_context,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: list[structlog.typing.Processor] = (
        [_on_one_line, structlog.dev.ConsoleRenderer()]
        if console
        else [structlog.processors.JSONRenderer()]
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    output = logging.StreamHandler(sys.stderr)
    output.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _without(redactor(secrets)),
                *renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [output]
    root.setLevel(level.upper())
    sys.excepthook = _tell_the_end
    for telling in ("httpx", "httpcore"):  # whole addresses, and what is in their queries
        logging.getLogger(telling).setLevel(logging.WARNING)
    # With `echo` it would write to stdout by itself, in a form of its own, if it had no handler.
    logging.getLogger("sqlalchemy.engine.Engine").handlers = [logging.NullHandler()]
    for noisy in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(noisy).handlers = []
        logging.getLogger(noisy).propagate = noisy != "uvicorn.access"


def _without(redact: Callable[[str], str]) -> structlog.typing.Processor:
    """A processor that leaves nothing but plain values, each without what `redact` cuts out."""

    def plain(value: object) -> object:
        if value is None or isinstance(value, bool | int):
            return value
        if isinstance(value, float):
            return value if math.isfinite(value) else str(value)
        if isinstance(value, dict):
            return {redact(str(name)): told(str(name), each) for name, each in value.items()}
        if (
            isinstance(value, list | tuple)
            and len(value) == 2
            and isinstance(value[0], str | bytes)
        ):
            return list(pair(*value))
        if isinstance(value, list | tuple | set | frozenset):
            return [plain(each) for each in value]
        text = value if isinstance(value, str) else repr(value)
        return shortened(redact(text), MOST_CHARACTERS)

    def pair(name: str | bytes, value: object) -> tuple[object, object]:
        """Headers are often told in pairs."""
        return plain(name), told(name if isinstance(name, str) else name.decode("latin-1"), value)

    def told(name: str, value: object) -> object:
        return CUT if IS_SENSITIVE.fullmatch(name) else plain(value)

    def processor(
        _: structlog.typing.WrappedLogger, __: str, event: structlog.typing.EventDict
    ) -> structlog.typing.EventDict:
        return {name: told(name, value) for name, value in event.items()}

    return processor


def _with_context(
    logger: structlog.typing.WrappedLogger, name: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    event.update(log_ids())
    return structlog.contextvars.merge_contextvars(logger, name, event)


def _on_one_line(
    _: structlog.typing.WrappedLogger, __: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """For terminals: nothing but a traceback has lines of its own, and these are set in."""
    traceback = event.pop("exception", None)
    told = {
        escaped(name): escaped(value if isinstance(value, str) else repr(value))
        for name, value in event.items()
    }
    if isinstance(traceback, str):
        told["exception"] = "\n".join(f"    {escaped(line)}" for line in traceback.split("\n"))
    return told


def _tell_the_end(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """What would be printed raw otherwise."""
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    else:
        structlog.get_logger().critical("process_failed", exc_info=(kind, error, trace))
