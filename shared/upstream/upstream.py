"""Whom to call, and as whom."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

LONGEST_NAME: Final = 300  # a host name has at most 253


@dataclass(frozen=True, slots=True)
class Upstream:
    """`breaker`: its name, `kind:rest`. `base_url`: the prefix of every path. `headers` carry the
    credentials. Neither of these two is ever shown.

    `trusted`: its address is the operator's. Otherwise a tenant gave it: it is refused where it is
    not public, and `owner` says whose it is, so that nobody else's breaker or connections are its.
    """

    breaker: str
    base_url: str = field(repr=False)
    trusted: bool
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    owner: UUID | None = None

    def __post_init__(self) -> None:
        if not (self.breaker.isprintable() and 0 < len(self.breaker) <= LONGEST_NAME):
            raise ValueError(f"{self.breaker!r:.100} names no breaker")
        if not self.trusted and self.owner is None:
            raise ValueError(f"{self.breaker}: an upstream that a tenant gave names its owner")
