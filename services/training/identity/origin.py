"""Which pages may open a WebSocket: browsers let every page do so, but say which page it is.

(RFC 6455 §10.2.) What is no browser sends no Origin, and is let through.
"""

from collections.abc import Collection, Sequence
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from shared.errors import Problem
from shared.origin import origin_of


def require_origin(headers: Headers, allowed: Collection[str]) -> None:
    """403 unless the page is of `allowed`, or of the very host that is asked, or no page."""
    sent = headers.getlist("origin")
    if sent and not _is_allowed(sent, headers.get("host", ""), allowed):
        raise Problem(
            403,
            "origin_refused",
            "pages of this origin may open no stream here; the operator names those that may in "
            "MORROW_ALLOWED_ORIGINS",
        )


def _is_allowed(sent: Sequence[str], host: str, allowed: Collection[str]) -> bool:
    try:
        (origin,) = map(origin_of, sent)
        own = origin_of(f"{urlsplit(origin).scheme}://{host}")
    except ValueError:  # several, "null", or what is none
        return False
    return origin == own or origin in allowed
