"""Where sales, weather and traffic come from."""

from collections.abc import Mapping

from morrow.call import Again, Call, Pages, get, post, put, whole
from morrow.schemas.sources import Source, SourceKind, SourceName, Sync, SyncAsked
from morrow.values import KEEP, Id, Keep, given, kept


def list_sources() -> Pages[Source]:
    """Where the tenant's sales, weather and traffic come from, and how each does."""
    return whole("/sources")


def put_source(
    source: SourceName,
    kind: SourceKind,
    *,
    base_url: str | None = None,
    credentials: str | Keep | None = KEEP,
    options: Mapping[str, object] | None = None,
) -> Call[Source]:
    """Connect a source in place of how it was; its first sync comes by itself. `credentials` are a
    token: left out, the one that is kept stays as long as kind and host do; None: none."""
    body = given(kind=kind, base_url=base_url, options=options) | kept(credentials=credentials)
    return put("/sources/{source}", body, source=source)


def sync_source(source: SourceName) -> Call[SyncAsked]:
    """Pull a source as soon as a worker is free."""
    return post("/sources/{source}/sync", Again.KEYED, source=source)


def get_sync(source: SourceName, sync_id: Id) -> Call[Sync]:
    return get("/sources/{source}/syncs/{sync_id}", source=source, sync_id=sync_id)
