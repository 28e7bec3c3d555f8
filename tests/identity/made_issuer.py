"""An OpenID Connect issuer on a real socket, with real keys, that may also lie."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from tests.upstream.made_upstream import Answer, Asked, MadeUpstream, good, made_upstream

AUDIENCE = "https://morrow.example"
TENANT_CLAIM = "https://morrow.example/tenant"
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
JWKS = "/keys"

RSA_KEY = rsa.generate_private_key(65537, 2048)
OTHER_RSA_KEY = rsa.generate_private_key(65537, 2048)
WEAK_RSA_KEY = rsa.generate_private_key(65537, 1024)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
P384_KEY = ec.generate_private_key(ec.SECP384R1())


def jwk_of(key: PrivateKey, kid: str | None, **members: Any) -> dict[str, Any]:
    public = key.public_key()
    algorithm = RSAAlgorithm if isinstance(public, rsa.RSAPublicKey) else ECAlgorithm
    jwk = algorithm.to_jwk(public, as_dict=True)  # type: ignore[arg-type]
    return jwk | ({} if kid is None else {"kid": kid}) | members


@dataclass
class MadeIssuer:
    upstream: MadeUpstream
    jwks: dict[str, Any] = field(default_factory=dict)
    told_issuer: str | None = None
    told_jwks_uri: str | None = None

    @property
    def url(self) -> str:
        return f"{self.upstream.url}/realm"

    @property
    def fetches(self) -> int:
        """How often its keys were asked for."""
        return sum(asked.path.startswith(JWKS) for asked in self.upstream.asked)

    def answer(self, asked: Asked) -> Answer:
        if asked.path.startswith(JWKS):
            return good(self.jwks)
        if asked.path == "/realm/.well-known/openid-configuration":
            uri = self.told_jwks_uri or f"{self.upstream.url}{JWKS}?realm=bakers"
            return good({"issuer": self.told_issuer or self.url, "jwks_uri": uri})
        return Answer(404)

    def claims(self, tenant_id: UUID | str, **other: Any) -> dict[str, Any]:
        now = int(time.time())
        claims = {
            "iss": self.url, "aud": AUDIENCE, "sub": "anna", "iat": now, "exp": now + 300,
            TENANT_CLAIM: str(tenant_id), "scope": "openid morrow:read",
        }  # fmt: skip
        return {name: value for name, value in (claims | other).items() if value is not ...}

    def token(
        self,
        tenant_id: UUID | str,
        *,
        key: Any = RSA_KEY,
        algorithm: str = "RS256",
        header: dict[str, Any] | None = None,
        **claims: Any,
    ) -> str:
        """A good one but for what is given; `...` leaves a claim out."""
        head = {"kid": "r1", "typ": "at+jwt"} | (header or {})
        head = {name: value for name, value in head.items() if value is not ...}
        return jwt.encode(self.claims(tenant_id, **claims), key, algorithm, head)


@asynccontextmanager
async def made_issuer() -> AsyncIterator[MadeIssuer]:
    keys = [jwk_of(RSA_KEY, "r1", use="sig"), jwk_of(EC_KEY, "e1", alg="ES256")]
    issuer: MadeIssuer | None = None

    def answer(asked: Asked) -> Answer:
        assert issuer is not None
        return issuer.answer(asked)

    async with made_upstream(answer) as upstream:
        issuer = MadeIssuer(upstream, {"keys": keys})
        yield issuer


def raw_token(header: str, claims: dict[str, Any], signature: bytes = b"x") -> str:
    """Whatever `header` is."""
    parts = (header.encode(), json.dumps(claims).encode(), signature)
    return ".".join(jwt.utils.base64url_encode(part).decode() for part in parts)
