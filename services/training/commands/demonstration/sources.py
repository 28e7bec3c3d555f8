"""The sample bakery's sources at its suppliers: connected, and pulled."""

import time
from typing import Final

from morrow import Client
from morrow.schemas.sources import SourceKind, SourceName
from services.training.commands.failures import WorkFailed
from services.training.commands.progress import count_bar
from services.training.commands.screen import Screen

KINDS: Final[dict[SourceName, SourceKind]] = {
    "sales": "http",
    "weather": "open-meteo",
    "traffic": "http",
}
LOOK_SECONDS: Final = 0.2
OPEN: Final = ("queued", "running")


def connect(client: Client, suppliers_url: str) -> None:
    """Each source by its kind, at the same address: the sample's suppliers are one server."""
    for source, kind in KINDS.items():
        client.put_source(source, kind, base_url=suppliers_url)


def pull(client: Client, screen: Screen) -> str:
    """One after the other: where the weather is wanted, the sales tell. In words, what came."""
    rows = {}
    with count_bar(screen, "sources", len(KINDS)) as advance:
        for source in KINDS:
            rows[source] = _pulled(client, source)
            advance(1)
    return ", ".join(f"{count} rows of {source}" for source, count in rows.items())


def _pulled(client: Client, source: SourceName) -> int:
    """How many rows came. Raises WorkFailed where it is not to be had."""
    sync_id = client.sync_source(source)["sync_id"]
    sync = client.get_sync(source, sync_id)
    while sync["status"] in OPEN:
        time.sleep(LOOK_SECONDS)
        sync = client.get_sync(source, sync_id)
    if sync["error"] is not None:
        raise WorkFailed("sync_failed", f"{source}: {sync['error']['message']}")
    return sync["rows"]
