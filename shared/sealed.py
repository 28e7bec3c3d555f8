"""Secrets of others, kept so that a copy of the database does not tell them.

AES-256-GCM under a key of the service, with the secret's place as associated data: what was sealed
for one place opens at no other. Without a key of the service nothing can be sealed, and what is
kept says of itself that it is plain.
"""

import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretStr

SEALED: Final = b"\x01"
PLAIN: Final = b"\x00"
NONCE_BYTES: Final = 12


class SealBroken(Exception):
    """What was kept cannot be opened: another key, another place, or damage."""


@dataclass(frozen=True, slots=True)
class Sealer:
    """`key` is any secret text of the service, None where it has none."""

    key: str | None = field(repr=False)

    @classmethod
    def of(cls, key: SecretStr | None) -> Self:
        return cls(None if key is None else key.get_secret_value())

    def seal(self, secret: str, place: str) -> bytes:
        if self.key is None:
            return PLAIN + secret.encode()
        nonce = secrets.token_bytes(NONCE_BYTES)
        return SEALED + nonce + self._cipher().encrypt(nonce, secret.encode(), place.encode())

    def open(self, kept: bytes, place: str) -> str:
        """The secret that was sealed for this place, or `SealBroken`."""
        if not is_sealed(kept):
            return kept[1:].decode()
        if self.key is None:
            raise SealBroken("it was sealed, and this process has no key")
        nonce, cipher = kept[1 : 1 + NONCE_BYTES], kept[1 + NONCE_BYTES :]
        try:
            return self._cipher().decrypt(nonce, cipher, place.encode()).decode()
        except (InvalidTag, ValueError):
            raise SealBroken("it was sealed with another key, or is damaged") from None

    def _cipher(self) -> AESGCM:
        assert self.key is not None
        return AESGCM(hashlib.sha256(b"morrow sealed " + self.key.encode()).digest())


def is_sealed(kept: bytes) -> bool:
    return kept[:1] == SEALED
