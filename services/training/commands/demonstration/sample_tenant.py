"""The sample bakery as a tenant: made or met again."""

import os
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

from morrow import Client, Refused
from morrow.schemas import TenantCreated
from services.training.commands.progress import count_bar
from services.training.commands.screen import Screen
from services.training.sample.api_shapes import (
    event_bodies,
    product_bodies,
    regressor_rows,
)
from services.training.sample.bakery import Bakery, generate_bakery

HISTORY_DAYS = 730
UNAUTHORIZED = 401
SKIES = ["temperature", "precipitation"]


@dataclass(frozen=True, slots=True)
class SampleTenant:
    """Its key, the file that keeps it, and whether it was there already."""

    key: str
    key_file: Path
    met_again: bool


def sample_bakery(seed: int, today: date) -> Bakery:
    """Two years of sales that end yesterday."""
    return generate_bakery(seed, today - timedelta(days=HISTORY_DAYS), HISTORY_DAYS)


def find_or_make(operator: Client, bakery: Bakery, url: str, data_dir: Path) -> SampleTenant:
    """The tenant of the bakery's last day; another day's sample is another tenant."""
    key_file = data_dir / f"sample-{bakery.data_through}.key"
    if key_file.exists():
        key = key_file.read_text(encoding="ascii").strip()
        if _is_known(url, key):
            return SampleTenant(key, key_file, met_again=True)
        key_file.unlink()
    made = _make(operator, bakery)
    with open(key_file, "x", encoding="ascii", opener=_private) as file:
        file.write(made["api_key"] + "\n")
    return SampleTenant(made["api_key"], key_file, met_again=False)


def tell_catalogue(client: Client, screen: Screen, bakery: Bakery) -> str:
    """Send what the bakery knows by itself; in words, what it was."""
    products, events = product_bodies(bakery), event_bodies(bakery)
    with count_bar(screen, "products and events", len(products) + len(events)) as advance:
        for name, product in products.items():
            client.put_product(name, **product)
            advance(1)
        for name, event in events.items():
            client.put_calendar_event(name, **event)
            advance(1)
    days = client.import_regressors(regressor_rows(_apart_from_skies(bakery)))
    told = f"{len(products)} products and {len(events)} events"
    return f"{told}, {days['received']} days of school holidays"


def _apart_from_skies(bakery: Bakery) -> Bakery:
    """Its weather comes from a supplier."""
    return replace(bakery, regressors=bakery.regressors.drop(columns=SKIES))


def _make(operator: Client, bakery: Bakery) -> TenantCreated:
    return operator.create_tenant(
        bakery.name,
        country=bakery.country,
        subdivision=bakery.subdivision,
        timezone=bakery.timezone,
        currency=bakery.currency,
        latitude=bakery.latitude,
        longitude=bakery.longitude,
    )


def _is_known(url: str, key: str) -> bool:
    """Whether the key still opens the door: the database may be another by now."""
    with Client(url, key) as client:
        try:
            client.get_own_tenant()
        except Refused as refused:
            if refused.status == UNAUTHORIZED:
                return False
            raise
    return True


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
