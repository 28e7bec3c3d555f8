"""Asking the token issuer for its keys: where the settings say they are, or where it says so
(OpenID Connect Discovery 1.0 §4)."""

import time
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from services.training.identity.key_set import KeySet, NoKeySet, read_key_set
from shared.breaker import Breakers, BreakerTerms
from shared.secure_url import require_secure
from shared.upstream.client import CallTerms, Json, Upstream, UpstreamClient

DISCOVERY: Final = "/.well-known/openid-configuration"
SECONDS: Final = 5.0
TERMS: Final = CallTerms(
    connect_seconds=3, read_seconds=3, total_seconds=SECONDS, pause_seconds=0.1,
    most_bytes=2**18, connections=2,
)  # fmt: skip
BREAKER: Final = BreakerTerms(failures=3, open_seconds=5)


def open_client() -> UpstreamClient:
    """To be used as `async with`: it calls issuers, and nobody else."""
    return UpstreamClient(TERMS, Breakers({"issuer": BREAKER}))


@dataclass(frozen=True, slots=True)
class IssuerKeys:
    """`jwks_url`: where the keys are; None: the issuer says so."""

    client: UpstreamClient
    issuer: str
    jwks_url: str | None

    async def ask(self) -> KeySet:
        """`UpstreamError` or `NoKeySet` where there are none to be had, within `SECONDS`."""
        deadline = time.monotonic() + SECONDS
        url = self.jwks_url or await self._discovered(deadline)
        return read_key_set(await self._get(url, deadline))

    async def _discovered(self, deadline: float) -> str:
        told = await self._get(self.issuer.rstrip("/") + DISCOVERY, deadline)
        url = told.get("jwks_uri") if isinstance(told, dict) else None
        if not isinstance(told, dict) or told.get("issuer") != self.issuer:
            raise NoKeySet("its discovery document is of another issuer")
        try:
            return require_secure(url if isinstance(url, str) else "")
        except ValueError as error:
            raise NoKeySet(f"its jwks_uri {error}") from None

    async def _get(self, url: str, deadline: float) -> Json:
        parts = urlsplit(url)
        host = f"{parts.scheme}://{parts.netloc}"
        upstream = Upstream(f"issuer:{parts.netloc}"[:300], host, trusted=True)
        query = dict(parse_qsl(parts.query))
        return await self.client.get(upstream, parts.path, query, deadline=deadline)
