"""What is scaled by is measured: every metric that a query names is one of the code's."""

import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module

from prometheus_client import REGISTRY

from infrastructure.kubernetes.checks.manifests import Manifests, title_of

PROGRAMS = ("services.training.app", "services.training.worker")
NAMED = re.compile(r"\bmorrow_\w+")


def measured(manifests: Manifests) -> Iterator[str]:
    """Queries that would never find anything."""
    for scaled in manifests.of_kind("ScaledObject"):
        for trigger in scaled.at("spec", "triggers").each():
            named = set(NAMED.findall(trigger.at("metadata", "query").text()))
            if not named:
                yield f"{title_of(scaled)}: a query names no metric"
            for name in sorted(named - _known()):
                yield f"{title_of(scaled)}: nothing measures {name}"


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
