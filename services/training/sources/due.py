"""When a source is pulled again."""

import datetime as dt
from typing import Final

from services.training.sources.kinds import UNCONNECTED, Kind, SourceName
from services.training.sources.options import OPTIONS, Options
from services.training.sources.schemas import OPEN, SyncStatus
from services.training.tables import Source, SourceSync

AFTER_FAILURE: Final = dt.timedelta(minutes=15)


def every(source: Source) -> dt.timedelta:
    """Between two syncs, as its options say."""
    kept = OPTIONS[SourceName(source.source), Kind(source.kind)].model_validate(source.options)
    assert isinstance(kept, Options)
    return dt.timedelta(minutes=kept.every_minutes)


def is_due(source: Source, last: SourceSync | None, now: dt.datetime) -> bool:
    """Whether it is connected, nobody pulls it already, and its last sync is long enough ago; one
    that failed is tried again soon."""
    if Kind(source.kind) in UNCONNECTED:
        return False
    if last is None or last.created_at < source.updated_at:
        return True
    status = SyncStatus(last.status)
    if status in OPEN:
        return False
    wait = every(source)
    if status is SyncStatus.FAILED:
        wait = min(wait, AFTER_FAILURE)
    return now - (last.finished_at or last.created_at) >= wait
