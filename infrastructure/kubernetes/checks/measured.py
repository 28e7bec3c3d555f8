"""What is scaled and alerted by is measured: metrics of the code, and CronJobs that are there."""

import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module

from prometheus_client import REGISTRY

from infrastructure.kubernetes.checks.manifests import Manifests, name_of, title_of
from infrastructure.kubernetes.checks.node import Node

PROGRAMS = ("services.training.app", "services.training.worker")
NAMED = re.compile(r"\bmorrow_\w+")
SAID = re.compile(r'"[^"]*"')
CRON = re.compile(r'\bcronjob=~?"([^"]+)"')
SPACE = re.compile(r'\bnamespace="([^"]+)"')


def measured(manifests: Manifests) -> Iterator[str]:
    """Queries that would never find anything, and work whose end nobody would miss."""
    for scaled in manifests.of_kind("ScaledObject"):
        for trigger in scaled.at("spec", "triggers").each():
            query = trigger.at("metadata", "query").text()
            if not NAMED.search(query):
                yield f"{title_of(scaled)}: a query names no metric"
            for name in _unknown(query):
                yield f"{title_of(scaled)}: nothing measures {name}"
    yield from _of_alerts(manifests)


def _of_alerts(manifests: Manifests) -> Iterator[str]:
    there = {name_of(each) for each in manifests.of_kind("CronJob")}
    spaces = {name_of(each) for each in manifests.of_kind("Namespace")}
    watched: set[str] = set()
    for rules in manifests.of_kind("PrometheusRule"):
        for rule in _rules(rules):
            query, title = rule["expr"].text(), f"{title_of(rules)}: {rule['alert'].text()}"
            crons = {name for names in CRON.findall(query) for name in names.split("|")}
            watched |= crons
            for name in _unknown(query):
                yield f"{title}: nothing measures {name}"
            for name in sorted(crons - there):
                yield f"{title}: there is no CronJob/{name}"
            for name in sorted(set(SPACE.findall(query)) - spaces):
                yield f"{title}: there is no Namespace/{name}"
    if manifests.of_kind("PrometheusRule"):
        for name in sorted(there - watched):
            yield f"CronJob/{name}: no alert tells when it has not succeeded for long"


def _rules(rules: Node) -> Iterator[Node]:
    for group in rules.at("spec", "groups").each():
        yield from group["rules"].each()


def _unknown(query: str) -> list[str]:
    return sorted(set(NAMED.findall(SAID.sub("", query))) - _known())


@cache
def _known() -> frozenset[str]:
    """The names of the samples of both programs."""
    for program in PROGRAMS:
        import_module(program)
    suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum")}
    return frozenset(
        family.name + suffix
        for family in REGISTRY.collect()
        for suffix in suffixes.get(family.type, ("",))
    )
