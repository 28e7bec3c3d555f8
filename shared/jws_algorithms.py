"""What a token may be signed with (RFC 7518 §3.1, RFC 8037): algorithms of public keys alone.

Nothing here is symmetric: what verifies such a token could make one. And `none` is none.
"""

from collections.abc import Mapping
from typing import Final

KeyKind = tuple[str, str | None]
"""JWK's `kty` and `crv`."""

RSA: Final[KeyKind] = ("RSA", None)
KEY_KINDS: Final[Mapping[str, KeyKind]] = {
    "RS256": RSA,
    "RS384": RSA,
    "RS512": RSA,
    "PS256": RSA,
    "PS384": RSA,
    "PS512": RSA,
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "ES512": ("EC", "P-521"),
    "EdDSA": ("OKP", "Ed25519"),
}
"""The one kind of key that each takes."""
