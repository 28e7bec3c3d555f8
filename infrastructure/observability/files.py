"""Which files are made from the code, and what they hold."""

from pathlib import Path

from infrastructure.observability.catalogue import document, read_catalogue
from infrastructure.observability.dashboards import DASHBOARDS
from infrastructure.observability.grafana import to_json

METRICS = Path("docs/metrics.md")
HERE = Path("infrastructure/observability")


def files() -> dict[Path, str]:
    """By their paths from the root of the repository."""
    drawn = {HERE / "dashboards" / f"{each.name}.json": to_json(each) for each in DASHBOARDS}
    return {METRICS: document(read_catalogue())} | drawn
