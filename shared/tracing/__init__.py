"""What happened within what, and how long it took: spans, sent to a collector where one is named.

Whoever does something says so with `span`, which is silent and costs next to nothing until
`tracing` was entered with a collector in the environment. Only `collected.py` and `delivery.py`
know OpenTelemetry, and nothing imports them before that.
"""

from shared.tracing.spans import (
    Attributes,
    Kind,
    Span,
    carried,
    header,
    log_ids,
    note,
    past,
    send_rest,
    span,
)

__all__ = [
    "Attributes",
    "Kind",
    "Span",
    "carried",
    "header",
    "log_ids",
    "note",
    "past",
    "send_rest",
    "span",
]
