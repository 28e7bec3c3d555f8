"""Addresses whose answers are believed: nobody on the way may have written them."""

from ipaddress import ip_address
from urllib.parse import urlsplit


def require_secure(url: str) -> str:
    """`url`, of https, or of this machine; ValueError where it is neither."""
    parts = urlsplit(url)
    if not parts.hostname or parts.username is not None or parts.fragment:
        raise ValueError("is no address such as https://login.example")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_here(parts.hostname)):
        raise ValueError("must begin with https://, for its answers are believed")
    return url


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
