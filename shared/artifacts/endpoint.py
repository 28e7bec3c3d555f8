"""Which S3 endpoints may be spoken to without encryption."""

from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

from shared.artifacts.errors import StoreAddressRefused

VARIABLES = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")


def plain_http_is_safe(environment: Mapping[str, str]) -> bool:
    """Whether an endpoint is plain http on this very machine; elsewhere `StoreAddressRefused`."""
    found = False
    for name in VARIABLES:
        endpoint = urlsplit(environment.get(name, ""))
        if endpoint.scheme != "http":
            continue
        if not _is_loopback(endpoint.hostname or ""):
            raise StoreAddressRefused(
                f"{name}={endpoint.scheme}://{endpoint.netloc.rpartition('@')[2]} would carry "
                "artifacts unencrypted: use https://"
            )
        found = True
    return found


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
