"""Every metric of the product, as the code defines it, and as `docs/metrics.md` tells it."""

import pkgutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from prometheus_client import Counter, Gauge, Histogram

import services.training
import shared

Defined = Counter | Gauge | Histogram
LIBRARY = "prometheus_client"
HEAD = """# Metrics

What `/metrics` of the API and of the workers tells (`MORROW_METRICS_PORT`). The names are kept:
dashboards, alerts (`infrastructure/observability/`) and those of others stand on them. No label
tells tenants, products or keys apart. A counter's samples end in `_total`; a histogram's in
`_bucket`, `_sum` and `_count`. A labelled metric has no sample before there is something to tell.
This page is written by `python -m infrastructure.observability`.

| metric | kind | labels | what it tells | where |
|---|---|---|---|---|
"""


@dataclass(frozen=True, slots=True, order=True)
class Metric:
    """`name` is that of the family; `samples` are those that a scrape holds."""

    name: str
    kind: str
    labels: tuple[str, ...]
    told: str
    module: str

    @property
    def samples(self) -> tuple[str, ...]:
        match self.kind:
            case "counter":
                return (f"{self.name}_total",)
            case "histogram":
                return tuple(f"{self.name}_{part}" for part in ("bucket", "sum", "count"))
            case _:
                return (self.name,)

    def has(self, label: str) -> bool:
        """Whether samples of it carry the label."""
        return label in self.labels or (label == "le" and self.kind == "histogram")


def read_catalogue() -> tuple[Metric, ...]:
    """By name. Every module that may define a metric is imported, and no other is asked."""
    found = {metric for name in _modules() for metric in _defined_in(name)}
    return tuple(sorted(found))


def document(metrics: Iterable[Metric]) -> str:
    """`docs/metrics.md`."""
    return HEAD + "".join(map(_row, metrics))


def _modules() -> Iterator[str]:
    for package in (services.training, shared):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if LIBRARY in _source(module.name):
                yield module.name


def _source(name: str) -> str:
    spec = find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).read_text()


def _defined_in(name: str) -> Iterator[Metric]:
    for value in vars(import_module(name)).values():
        if isinstance(value, Defined):
            [family] = value.describe()
            labels = tuple(value._labelnames)
            yield Metric(family.name, family.type, labels, family.documentation, name)


def _row(metric: Metric) -> str:
    labels = ", ".join(f"`{label}`" for label in metric.labels)
    where = metric.module.replace(".", "/") + ".py"
    shown = metric.samples[0] if metric.kind == "counter" else metric.name
    return f"| `{shown}` | {metric.kind} | {labels} | {metric.told} | `{where}` |\n"
