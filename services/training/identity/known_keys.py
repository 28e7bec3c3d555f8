"""Keys that were good a short while ago, for when nobody can be asked whether they still are."""

from collections.abc import Set
from dataclasses import replace
from typing import Final
from uuid import UUID

from services.training.identity.caller import Caller
from services.training.identity.keys import unexpired
from shared.auth import digest_of
from shared.recent import Recent

MOST_KNOWN: Final = 10_000


class KnownKeys:
    """Of one process, by the digest of their secrets; none for longer than `seconds`."""

    def __init__(self, seconds: float) -> None:
        self._callers: Recent[bytes, Caller] = Recent(MOST_KNOWN, seconds)

    def __len__(self) -> int:
        return len(self._callers)

    def note(self, secret: str, caller: Caller) -> None:
        """`secret` was just found to be that of `caller`."""
        self._callers.note(digest_of(secret), caller)

    def forget(self, secret: str) -> None:
        """`secret` was just found to be nobody's."""
        self._callers.forget(digest_of(secret))

    def knows(self, secret: str) -> bool:
        """Whether it was good a short while ago."""
        return self._callers.get(digest_of(secret)) is not None

    def end_tenant(self, tenant_id: UUID) -> None:
        """The tenant is no more."""
        self._callers.drop(lambda caller: caller.tenant_id == tenant_id)

    def end(self, keys: Set[UUID]) -> None:
        """These keys are good no more."""
        self._callers.drop(lambda caller: caller.key_id in keys)

    def recall(self, secret: str) -> Caller | None:
        """Whose secret it was, `checked` no more; 401 where it has expired since."""
        found = self._callers.get(digest_of(secret))
        return None if found is None else replace(unexpired(found), checked=False)
