"""Dashboards as Grafana reads them, from a title, rows of panels, and what each panel asks."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

SCHEMA_VERSION = 39
WIDTH, HEIGHT = 24, 8
DATA = {"type": "prometheus", "uid": "${datasource}"}


@dataclass(frozen=True, slots=True)
class Line:
    """A query, and how Grafana calls each of the series it answers with: `{{label}}`."""

    query: str
    legend: str


@dataclass(frozen=True, slots=True)
class Panel:
    """`unit` is one of Grafana's: s, ops, percentunit, short, bytes."""

    title: str
    told: str
    unit: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Dashboard:
    """`name` is the file's, and the address's, which stays the same. Panels of one row stand side
    by side."""

    name: str
    title: str
    rows: tuple[tuple[Panel, ...], ...]

    @property
    def panels(self) -> Iterator[Panel]:
        for row in self.rows:
            yield from row


def to_json(dashboard: Dashboard) -> str:
    """Equal dashboards make equal bytes."""
    told = {
        "uid": f"morrow-{dashboard.name}",
        "title": dashboard.title,
        "tags": ["morrow"],
        "schemaVersion": SCHEMA_VERSION,
        "editable": False,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": [_data_source()]},
        "panels": list(_placed(dashboard.rows)),
    }
    return json.dumps(told, indent=1) + "\n"


def _data_source() -> dict[str, Any]:
    return {
        "name": "datasource",
        "label": "Prometheus",
        "type": "datasource",
        "query": "prometheus",
    }


def _placed(rows: Sequence[Sequence[Panel]]) -> Iterator[dict[str, Any]]:
    number = 0
    for down, row in enumerate(rows):
        width = WIDTH // len(row)
        for right, panel in enumerate(row):
            number += 1
            place = {"x": right * width, "y": down * HEIGHT, "w": width, "h": HEIGHT}
            yield {"id": number, "gridPos": place} | _panel(panel)


def _panel(panel: Panel) -> dict[str, Any]:
    return {
        "type": "timeseries",
        "title": panel.title,
        "description": panel.told,
        "datasource": DATA,
        "fieldConfig": {"defaults": {"unit": panel.unit}, "overrides": []},
        "targets": [
            {
                "refId": chr(ord("A") + place),
                "datasource": DATA,
                "expr": line.query,
                "legendFormat": line.legend,
            }
            for place, line in enumerate(panel.lines)
        ],
    }
