"""How a call to an upstream can end other than well.

Messages name the upstream by host and port alone: an address may hold credentials, and so may a
header. What an upstream said is quoted only in `UpstreamStatus.reason`.
"""

from typing import ClassVar


class UpstreamError(Exception):
    """`code` is a stable snake_case word. `upstream`: `host:port`. `retry_after`: seconds that it,
    or its breaker, asks to be left alone."""

    code: ClassVar[str] = "upstream_failed"

    def __init__(self, upstream: str, detail: str, retry_after: float | None = None) -> None:
        self.upstream = upstream
        self.detail = detail
        self.retry_after = retry_after
        super().__init__(f"{upstream} {detail}")

    @property
    def brief(self) -> str:
        """For those who did not ask: nothing that the upstream said."""
        return self.detail


class UpstreamOpen(UpstreamError):
    """Its circuit breaker is open: it was not asked."""

    code = "upstream_open"


class UpstreamTimeout(UpstreamError):
    """It took longer than it may, in one step or in all."""

    code = "upstream_timeout"


class UpstreamBusy(UpstreamTimeout):
    """All connections that it may have were in use for too long: it was not asked."""

    code = "upstream_busy"


class UpstreamUnreachable(UpstreamError):
    """No name, no connection, or one that was cut."""

    code = "upstream_unreachable"


class UpstreamStatus(UpstreamError):
    """It answered with a status other than success; `reason` is what it said, cut short."""

    code = "upstream_status"

    def __init__(
        self, upstream: str, status: int, reason: str, retry_after: float | None = None
    ) -> None:
        self.status = status
        self.reason = reason
        said = f": {reason}" if reason else ""
        super().__init__(upstream, f"answered {status}{said}", retry_after)

    @property
    def brief(self) -> str:
        return f"answered {self.status}"


class UpstreamRedirect(UpstreamError):
    """It sent the caller elsewhere, where no credentials are carried to."""

    code = "upstream_redirect"


class UpstreamMalformed(UpstreamError):
    """Its answer is no JSON, or none that can be worked with: NaN, Infinity, a broken encoding."""

    code = "upstream_malformed"


class UpstreamTooLarge(UpstreamError):
    """Its answer is larger, once decoded, than it may be."""

    code = "upstream_too_large"


class UpstreamForbidden(UpstreamError):
    """Its address, or what is to be sent there, is refused; nothing was sent."""

    code = "upstream_forbidden"
