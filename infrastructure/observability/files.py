"""Which files are made from the code and the rules, and what they hold."""

from pathlib import Path

from infrastructure.observability.catalogue import document, read_catalogue
from infrastructure.observability.dashboards import DASHBOARDS
from infrastructure.observability.grafana import to_json
from infrastructure.observability.operator import config_maps, prometheus_rule

METRICS = Path("docs/metrics.md")
HERE = Path("infrastructure/observability")
MONITORING = Path("infrastructure/kubernetes/components/monitoring")


def files() -> dict[Path, str]:
    """By their paths from the root of the repository."""
    drawn = {HERE / "dashboards" / f"{each.name}.json": to_json(each) for each in DASHBOARDS}
    applied = {
        MONITORING / "alerts.yaml": prometheus_rule(Path(__file__).parent),
        MONITORING / "dashboards.yaml": config_maps(DASHBOARDS),
    }
    return {METRICS: document(read_catalogue())} | drawn | applied
