"""Alerts and dashboards as Kubernetes takes them: kustomize reads no file from outside its own
directories, so these are written for it."""

from collections.abc import Iterable
from pathlib import Path
from textwrap import indent
from typing import Final

import yaml

from infrastructure.observability.grafana import Dashboard, to_json

RULES: Final = ("alerts.yaml", "backup_alerts.yaml")
WRITTEN: Final = (
    "# Written by `python -m infrastructure.observability`; change what it is made from.\n"
)
CONFIG_MAP: Final = """apiVersion: v1
kind: ConfigMap
metadata:
  name: dashboard-{name}
  namespace: morrow
  labels:
    grafana_dashboard: "1"
data:
  morrow-{name}.json: |
{drawn}"""
"""By the label that Grafana's sidecar looks for."""


def prometheus_rule(folder: Path) -> str:
    """The groups of all rules in the folder, for the Prometheus operator."""
    texts = [(folder / name).read_text(encoding="utf-8") for name in RULES]
    rule = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "morrow", "namespace": "morrow"},
        "spec": {"groups": [group for text in texts for group in yaml.safe_load(text)["groups"]]},
    }
    dumped: str = yaml.safe_dump(rule, sort_keys=False, width=120)
    return WRITTEN + dumped


def config_maps(dashboards: Iterable[Dashboard]) -> str:
    """One a dashboard."""
    return WRITTEN + "---\n".join(
        CONFIG_MAP.format(name=each.name, drawn=indent(to_json(each), "    "))
        for each in dashboards
    )
