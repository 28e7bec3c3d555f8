"""How the API is connected to."""

import ssl
from functools import cache
from importlib.metadata import version
from typing import Final, TypedDict
from urllib.parse import urlsplit

import httpx

TIMEOUT: Final = 300.0
"""A large import, and the verification of every artifact, take their time to answer."""
CONNECT_SECONDS: Final = 5.0
LOOPBACK: Final = {"127.0.0.1", "::1", "localhost"}


NO_LIMITS: Final = httpx.Limits(max_connections=None, max_keepalive_connections=20)
"""A stream keeps its connection for as long as it lasts: none waits for another."""


class HttpSettings(TypedDict):
    base_url: str
    headers: dict[str, str]
    timeout: httpx.Timeout
    limits: httpx.Limits
    trust_env: bool
    verify: ssl.SSLContext | bool


def settings_for(url: str, key: str, timeout: float) -> HttpSettings:
    """Those of either HTTP client. A machine's own API is not asked for through a proxy. ValueError
    where `url` is no address, or `key` none that a header could hold."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(f"{url!r} is no http:// or https:// address")
    if "@" in parts.netloc:
        raise ValueError("the address names a user: the key says who calls, so leave it out")
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise ValueError("the key is no API key: it is visible ASCII characters without a space")
    local = parts.hostname in LOOPBACK
    return {
        "base_url": url.rstrip("/"),
        "headers": {
            "Authorization": f"Bearer {key}",
            "User-Agent": f"morrow-python/{_version()}",
        },
        "timeout": httpx.Timeout(timeout, connect=CONNECT_SECONDS),
        "limits": NO_LIMITS,
        "trust_env": not local,
        "verify": _trusting_nobody() if local and parts.scheme == "http" else True,
    }


@cache
def _version() -> str:
    return version("morrow")


@cache
def _trusting_nobody() -> ssl.SSLContext:
    """For where TLS is not spoken: to read who is trusted takes longer than many a call."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
