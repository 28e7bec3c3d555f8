"""Web origins (RFC 6454): which page a browser says a request is from."""

from typing import Final
from urllib.parse import urlsplit

PORTS: Final = {"http": 80, "https": 443}


def origin_of(text: str) -> str:
    """`text` in the one way to write it: scheme://host, :port where it is not the scheme's own.

    ValueError where it is no origin.
    """
    parts = urlsplit(text)
    if parts.scheme not in PORTS or not parts.hostname or parts.username is not None:
        raise ValueError(f"{text!r:.200} is no origin such as https://app.example")
    if parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise ValueError(f"{text!r:.200} is more than an origin: leave out what follows the host")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    port = "" if parts.port in {None, PORTS[parts.scheme]} else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"
