"""The errors of sockets and protocols as errors of an upstream.

What `httpx` and `httpcore` say is not quoted: a header that cannot be sent is in there whole.
"""

import os
from typing import Final

import httpcore
import httpx

from shared.upstream.body import TooLarge, Undecodable
from shared.upstream.errors import (
    UpstreamBusy,
    UpstreamError,
    UpstreamForbidden,
    UpstreamMalformed,
    UpstreamTimeout,
    UpstreamTooLarge,
    UpstreamUnreachable,
)
from shared.upstream.payload import NotJson
from shared.upstream.terms import CallTerms

FAILURES: Final = (
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.UnsupportedProtocol,
    httpx.HTTPError,
    httpx.InvalidURL,
    httpx.StreamError,
    OSError,
    NotJson,
    TooLarge,
    Undecodable,
)


def as_upstream_error(upstream: str, error: Exception, terms: CallTerms) -> UpstreamError:
    """The named error that one of `FAILURES` stands for."""
    match error:
        case httpcore.PoolTimeout():
            return UpstreamBusy(
                upstream,
                f"had all its {terms.connections} connections in use for {terms.pool_seconds:g} s",
            )
        case httpcore.ConnectTimeout():
            return _late(upstream, "connection", terms.connect_seconds)
        case httpcore.ReadTimeout():
            return _late(upstream, "answer", terms.read_seconds)
        case httpcore.WriteTimeout():
            return _late(upstream, "reading of the request", terms.write_seconds)
        case TimeoutError() | httpcore.TimeoutException():
            return UpstreamTimeout(upstream, "did not end its answer in the time that was left")
        case httpcore.LocalProtocolError() | httpx.InvalidURL() | UnicodeError():
            return UpstreamForbidden(
                upstream, "was not asked: a header or parameter is not sendable"
            )
        case TooLarge():
            return UpstreamTooLarge(
                upstream, f"answered with more than the {terms.most_bytes:,} bytes it may"
            )
        case NotJson() | Undecodable():
            return UpstreamMalformed(upstream, f"gave an answer that {error}")
        case httpcore.RemoteProtocolError():
            return UpstreamUnreachable(upstream, "cut its answer off, or does not speak HTTP")
        case httpcore.ConnectError():
            return UpstreamUnreachable(upstream, f"cannot be connected to{_why(error)}")
        case _:
            return UpstreamUnreachable(upstream, f"lost the connection{_why(error)}")


def _late(upstream: str, what: str, most: float) -> UpstreamTimeout:
    return UpstreamTimeout(upstream, f"let its {what} wait, for {most:g} s or all that was left")


def _why(error: BaseException | None) -> str:
    """The system's word for it, where there is one down the chain."""
    while error is not None:
        if isinstance(error, OSError) and error.errno is not None and error.errno > 0:
            return f": {os.strerror(error.errno)}"
        error = error.__cause__ or error.__context__
    return ""
