"""Who acts."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Actor:
    """`key_prefix` is the visible part of an API key, where the act was asked for with one."""

    name: str
    key_prefix: str | None = None


OPERATOR: Final = Actor("operator")
"""Whoever holds the operator key."""
SERVICE: Final = Actor("service")
"""The service itself: nobody asked for it."""


def api_key(key_id: UUID, prefix: str | None) -> Actor:
    """A tenant's key."""
    return Actor(f"api_key:{key_id}", prefix)


def token_subject(subject: str) -> Actor:
    """Whom an identity token names."""
    return Actor(f"token:{subject:.500}")
