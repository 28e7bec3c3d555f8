"""The addresses that sources have of their own, and the names of their breakers."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from services.training.settings import Settings
from services.training.sources.kinds import Kind, SourceName

SQUARE: Final = "https://connect.squareup.com"
PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Hosts:
    """Open-Meteo's, as the operator set them; its key goes only there."""

    archive: str
    forecast: str
    previous_runs: str
    key: str | None

    @classmethod
    def of(cls, settings: Settings) -> "Hosts":
        key = settings.open_meteo_api_key
        return cls(
            archive=settings.open_meteo_archive_url.rstrip("/"),
            forecast=settings.open_meteo_forecast_url.rstrip("/"),
            previous_runs=settings.open_meteo_previous_runs_url.rstrip("/"),
            key=None if key is None else key.get_secret_value(),
        )


def host_and_port(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or PORTS[parts.scheme]}"


def breaker_of(source: SourceName, slug: str, base_url: str) -> str:
    """A tenant's own sales host opens only its own breaker; the others are shared by host."""
    if source is SourceName.SALES:
        return f"sales:{slug}"
    return f"{source.value}:{host_and_port(base_url)}"


def usual_address(kind: Kind, hosts: Hosts) -> str:
    """Where a kind is, unless the tenant says where; empty where it must say."""
    return {Kind.SQUARE: SQUARE, Kind.OPEN_METEO: hosts.forecast}.get(kind, "")
