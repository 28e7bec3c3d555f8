"""The public keys of an issuer (JWKS, RFC 7517): those that can verify a token, and no others."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from shared.jws_algorithms import KEY_KINDS, KeyKind
from shared.upstream.payload import Json

Key = object
"""A public key as `cryptography` has it."""

MOST_KEYS: Final = 100
RSA_BITS: Final = range(2048, 8193)
SECRET_MEMBERS: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
READERS: Final[Mapping[str, Callable[[dict[str, str]], Key]]] = {
    "RSA": RSAAlgorithm.from_jwk,
    "EC": ECAlgorithm.from_jwk,
    "OKP": OKPAlgorithm.from_jwk,
}


class NoKeySet(ValueError):
    """This is no JWKS."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """`algorithm`: the one it is meant for, where it says so."""

    kid: str | None
    kind: KeyKind
    algorithm: str | None
    key: Key

    def fits(self, algorithm: str) -> bool:
        """Whether it is of the kind that the algorithm takes, and meant for no other."""
        return KEY_KINDS[algorithm] == self.kind and self.algorithm in {None, algorithm}


@dataclass(frozen=True, slots=True)
class KeySet:
    keys: tuple[PublicKey, ...]

    def find(self, kid: str | None, algorithm: str) -> PublicKey | None:
        """The key of that id that fits; without an id, the only one that does."""
        fitting = [key for key in self.keys if key.fits(algorithm)]
        if kid is not None:
            return next((key for key in fitting if key.kid == kid), None)
        return fitting[0] if len(fitting) == 1 else None


def read_key_set(document: Json) -> KeySet:
    """What of the document can verify signatures; `NoKeySet` where it is no JWKS.

    What it holds beside is passed over, as RFC 7517 §5 asks: symmetric keys, keys for encryption,
    of other kinds, or too weak; and private keys, which whoever reads the document has too.
    """
    keys = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list) or len(keys) > MOST_KEYS:
        raise NoKeySet(f"has no member 'keys' that is a list of at most {MOST_KEYS}")
    found = (_read_key(key) for key in keys if isinstance(key, dict))
    return KeySet(tuple(key for key in found if key is not None))


def _read_key(jwk: Mapping[str, Json]) -> PublicKey | None:
    told = {name: value for name, value in jwk.items() if isinstance(value, str)}
    kind = (told.get("kty", ""), told.get("crv"))
    if kind not in KEY_KINDS.values() or not _verifies(jwk):
        return None
    try:
        key = READERS[kind[0]](told)
    except (jwt.PyJWTError, ValueError, KeyError):
        return None
    if isinstance(key, RSAPublicKey) and key.key_size not in RSA_BITS:
        return None
    return PublicKey(told.get("kid"), kind, told.get("alg"), key)


def _verifies(jwk: Mapping[str, Json]) -> bool:
    operations = jwk.get("key_ops", ["verify"])
    is_meant = isinstance(operations, list) and "verify" in operations
    return is_meant and jwk.get("use", "sig") == "sig" and not SECRET_MEMBERS & jwk.keys()
