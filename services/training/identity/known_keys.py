"""Keys that were good a short while ago, for when nobody can be asked whether they still are."""

from dataclasses import replace
from uuid import UUID

from services.training.identity.caller import Caller
from services.training.identity.keys import unexpired
from shared.auth import digest_of
from shared.recent import Recent

MOST_KNOWN = 10_000


class KnownKeys:
    """Of one process, by the digest of their secrets; none for longer than `seconds`."""

    def __init__(self, seconds: float) -> None:
        self._callers: Recent[bytes, Caller] = Recent(MOST_KNOWN, seconds)

    def note(self, secret: str, caller: Caller) -> None:
        """`secret` was just found to be that of `caller`."""
        self._callers.note(digest_of(secret), caller)

    def forget(self, secret: str) -> None:
        """`secret` is looked up anew."""
        self._callers.forget(digest_of(secret))

    def knows(self, secret: str) -> bool:
        """Whether it was good a short while ago."""
        return self._callers.get(digest_of(secret)) is not None

    def end_tenant(self, tenant_id: UUID) -> None:
        """The tenant is no more."""
        self._callers.drop(lambda caller: caller.tenant_id == tenant_id)

    def recall(self, secret: str) -> Caller | None:
        """Whose secret it was, `checked` no more; 401 where it has expired since."""
        found = self._callers.get(digest_of(secret))
        return None if found is None else replace(unexpired(found), checked=False)
