"""Access tokens of an OpenID Connect issuer (RFC 7519, 8725, 9068) as a second way in.

What a token says of how it is to be verified is only ever compared with what is allowed here. Keys
come from the issuer, whatever keys, or addresses of keys, a header holds.
"""

from dataclasses import dataclass
from typing import Any, Final

import jwt

from services.training.identity.caller import Caller, unauthorized
from services.training.identity.claims import ClaimNames, Claims
from services.training.identity.issuer import Issuer
from services.training.identity.key_set import PublicKey

LONGEST: Final = 8192
LONGEST_KID: Final = 200
REQUIRED: Final = ("exp", "iat", "iss", "aud", "sub")
UNTYPED: Final = "missing"

FAULTS: Final[tuple[tuple[type[Exception], str], ...]] = (
    (jwt.ExpiredSignatureError, "has expired"),
    (jwt.ImmatureSignatureError, "is not valid yet"),
    (jwt.InvalidAudienceError, "is for another audience"),
    (jwt.InvalidIssuerError, "is of another issuer"),
    (jwt.MissingRequiredClaimError, f"lacks a claim: {', '.join(REQUIRED)} must all be there"),
    (jwt.InvalidSignatureError, "is not signed by its issuer"),
)
UNREADABLE: Final = (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError)


@dataclass(frozen=True, slots=True)
class TokenTerms:
    """Of which issuer, for whom, signed how, and of which `typ`, all in small letters."""

    issuer: str
    audience: str
    algorithms: frozenset[str]
    types: frozenset[str]
    leeway_seconds: float
    names: ClaimNames


@dataclass(frozen=True, slots=True)
class Tokens:
    terms: TokenTerms
    issuer: Issuer

    async def caller_of(self, token: str) -> Caller:
        """Whom the token names; 401 where it is not good, 503 where nobody can tell."""
        if len(token) > LONGEST:
            raise _refused(f"is longer than {LONGEST} characters")
        algorithm, kid = self._header(token)
        key = await self.issuer.find(kid, algorithm)
        if key is None:
            raise _refused("is signed with a key that its issuer does not have")
        return self.terms.names.caller_of(self._verified(token, algorithm, key))

    def _header(self, token: str) -> tuple[str, str | None]:
        """The algorithm and the key's id, of a header that may be."""
        try:
            header: dict[str, Any] = jwt.get_unverified_header(token)
        except UNREADABLE:
            raise _refused("is malformed") from None
        if "crit" in header or "b64" in header:
            raise _refused("has a critical header, of which none is understood")
        algorithm, kid = header.get("alg"), header.get("kid")
        if not isinstance(algorithm, str) or algorithm not in self.terms.algorithms:
            raise _refused("is signed in a way that is not allowed")
        kind = str(header.get("typ", UNTYPED)).lower().removeprefix("application/")
        if kind not in self.terms.types:
            raise _refused("is of a type that is not allowed")
        if kid is not None and not (isinstance(kid, str) and len(kid) <= LONGEST_KID):
            raise _refused("names its key by what is no name")
        return algorithm, kid

    def _verified(self, token: str, algorithm: str, key: PublicKey) -> Claims:
        terms = self.terms
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key.key,  # type: ignore[arg-type]
                algorithms=[algorithm],
                audience=terms.audience,
                issuer=terms.issuer,
                leeway=terms.leeway_seconds,
                options={"require": list(REQUIRED)},
            )
        except UNREADABLE as error:
            told = (what for kind, what in FAULTS if isinstance(error, kind))
            raise _refused(next(told, "is malformed")) from None
        return claims


def is_token(secret: str) -> bool:
    """Whether it has the form of a signed token: three parts, which no key of ours has."""
    return secret.count(".") == 2


def _refused(why: str) -> Exception:
    return unauthorized(f"the token {why}")
