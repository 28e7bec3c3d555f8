"""The sample bakery's sources at its suppliers: connected, and pulled."""

import time
from typing import Final

from services.training.commands.answers import Sync
from services.training.commands.failures import WorkFailed
from services.training.commands.http import Api
from services.training.commands.progress import count_bar
from services.training.commands.screen import Screen

KINDS: Final = {"sales": "http", "weather": "open-meteo", "traffic": "http"}
LOOK_SECONDS: Final = 0.2
OPEN: Final = ("queued", "running")


def connect(api: Api, suppliers_url: str) -> None:
    """Each source by its kind, at the same address: the sample's suppliers are one server."""
    for source, kind in KINDS.items():
        api.put(f"/sources/{source}", {"kind": kind, "base_url": suppliers_url})


def pull(api: Api, screen: Screen) -> str:
    """One after the other: where the weather is wanted, the sales tell. In words, what came."""
    rows = {}
    with count_bar(screen, "sources", len(KINDS)) as advance:
        for source in KINDS:
            rows[source] = _pulled(api, source)
            advance(1)
    return ", ".join(f"{count} rows of {source}" for source, count in rows.items())


def _pulled(api: Api, source: str) -> int:
    """How many rows came. Raises WorkFailed where it is not to be had."""
    sync_id = api.post(f"/sources/{source}/sync")["sync_id"]
    sync: Sync = api.get(f"/sources/{source}/syncs/{sync_id}")
    while sync["status"] in OPEN:
        time.sleep(LOOK_SECONDS)
        sync = api.get(f"/sources/{source}/syncs/{sync_id}")
    if sync["error"] is not None:
        raise WorkFailed("sync_failed", f"{source}: {sync['error']['message']}")
    return sync["rows"]
