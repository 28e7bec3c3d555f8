"""Where an upstream may be. An address that a tenant gives must not lead into the house."""

import re
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

import httpx

from shared.upstream.errors import UpstreamForbidden

Address = IPv4Address | IPv6Address

PORTS: Final = {"http": 80, "https": 443}
TRANSLATED: Final = IPv6Network("64:ff9b::/96")
"""NAT64 (RFC 6052): the last 32 bits are an IPv4 address."""
GLOBAL_UNICAST: Final = IPv6Network("2000::/3")
RESERVED: Final = tuple(
    map(ip_network, ("192.0.0.0/24", "192.88.99.0/24", "2001::/23", "2001:db8::/32", "3fff::/20"))
)
"""Of the IANA's special-purpose registries, what some versions of `ipaddress` call global."""
HOST: Final = re.compile(rb"[a-z0-9._:-]{1,253}", re.IGNORECASE)
METADATA: Final = {ip_address("168.63.129.16")}
"""What a cloud answers its own machines at, though it looks public; other clouds' are link-local,
shared (100.64.0.0/10), or reserved."""


def parse_base_url(text: str) -> httpx.URL:
    """`text` as an address to which paths can be added; `UpstreamForbidden` says what is wrong."""
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        raise UpstreamForbidden("the address", "is no URL") from None
    if url.scheme not in PORTS:
        raise UpstreamForbidden("the address", f"begins with {url.scheme[:20]!r}, not with http(s)")
    if not HOST.fullmatch(url.raw_host) or not 0 < (url.port or PORTS[url.scheme]) < 65536:
        raise UpstreamForbidden("the address", "names no host, or one or a port that cannot be")
    if url.userinfo:
        raise UpstreamForbidden("the address", "holds a user or password: send them as credentials")
    if url.query or url.fragment:
        raise UpstreamForbidden("the address", "has a query or a fragment: give the prefix alone")
    return url


def host_and_port(url: httpx.URL) -> str:
    """`host:port`, with the port that the scheme implies; an IPv6 host in brackets."""
    host = f"[{url.host}]" if ":" in url.host else url.host
    return f"{host}:{url.port or PORTS[url.scheme]}"


def refusal_of(address: Address) -> str | None:
    """Why nobody outside the house may send us to `address`; None where they may."""
    inner = _within(address)
    if inner is not None:
        return refusal_of(inner)
    if address in METADATA:
        return "a cloud's metadata address"
    if address.is_loopback or address.is_unspecified:
        return "this machine"
    if address.is_link_local:
        return "a link-local address"
    if address.is_multicast:
        return "a multicast address"
    if isinstance(address, IPv6Address) and address not in GLOBAL_UNICAST:
        return "no global address"
    if not address.is_global or any(address in network for network in RESERVED):
        return "a private or reserved address"
    return None


def _within(address: Address) -> IPv4Address | None:
    """The IPv4 address to which an IPv6 one leads."""
    if isinstance(address, IPv4Address):
        return None
    if address in TRANSLATED:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour
