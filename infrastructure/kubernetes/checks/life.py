"""How pods start, are asked, and leave, beside what the code says of itself."""

from collections.abc import Iterator
from functools import cache
from typing import Final

from infrastructure.kubernetes.checks.configuration import MADE_UP, NOWHERE, settings_of
from infrastructure.kubernetes.checks.manifests import Manifests, Workload, containers_of, role_of
from infrastructure.kubernetes.checks.node import Node
from services.training import serving
from services.training.app import create_app
from services.training.settings import Settings
from shared.health import CHECK_SECONDS
from shared.tracing.environment import FLUSH_SECONDS

LIVE: Final = "/health/live"
READY: Final = "/health/ready"
METRICS: Final = "/metrics"
PORT: Final = 8000
ROUTED_AWAY_SECONDS: Final = 5
"""How long proxies may still send requests to a pod that is to end."""
SPARE_SECONDS: Final = {"serve": 5, "worker": 15}
"""To close connections; to end children, and hand back what they did."""
WANTED = {
    "serve": {"startupProbe": READY, "readinessProbe": LIVE, "livenessProbe": LIVE},
    "worker": {"startupProbe": METRICS, "readinessProbe": METRICS, "livenessProbe": ""},
}
"""The API starts when it is ready, and is then routed to while it lives: it has answers without its
database. A worker's metrics are told by a thread beside its loop, and so are no sign of life."""


def life(manifests: Manifests) -> Iterator[str]:
    """What is asked in vain, and who is given too little time to leave."""
    for title, workload, container in containers_of(manifests):
        role = role_of(container)
        if role not in WANTED:
            continue
        settings = settings_of(manifests, container)
        paths = _paths_of(role, settings)
        for probe, path in WANTED[role].items():
            for fault in _of_probe(workload, container[probe], path, paths):
                yield f"{title}: {probe}: {fault}"
        for fault in (*_of_leaving(role, settings, workload, container), *_of_rollout(workload)):
            yield f"{title}: {fault}"


def _paths_of(role: str, settings: Settings) -> dict[int, set[str]]:
    """What is answered on which port."""
    answered = {settings.metrics_port or 0: {METRICS}}
    if role == "serve":
        answered[PORT] = set(_paths_of_the_api())
    return answered


@cache
def _paths_of_the_api() -> frozenset[str]:
    settings = Settings.load(_env_prefix=NOWHERE, database_url=MADE_UP)
    return frozenset(create_app(settings).openapi()["paths"])


def _of_probe(
    workload: Workload, probe: Node, path: str, answered: dict[int, set[str]]
) -> Iterator[str]:
    asked = probe.at("httpGet", "path").text()
    if asked != path:
        yield f"asks {asked or 'nothing'}, and should {path or 'nothing'}"
    if not asked:
        return
    port = probe.at("httpGet", "port").text()
    if asked not in answered.get(workload.ports().get(port, -1), set()):
        yield f"nothing answers {asked} on port {port}"
    if asked == READY and probe["timeoutSeconds"].number(1) <= CHECK_SECONDS:
        yield f"gives up before its checks do, after {CHECK_SECONDS:g} s"


def leaving_seconds(role: str, settings: Settings) -> float:
    """The longest that a process of `role` takes to end once it is told to, by its own limits."""
    if role == "serve":
        return serving.leaving_seconds(settings)
    return settings.drain_seconds + FLUSH_SECONDS


def _of_leaving(
    role: str, settings: Settings, workload: Workload, container: Node
) -> Iterator[str]:
    sleep = container.at("lifecycle", "preStop", "sleep", "seconds").number()
    if role == "serve" and sleep < ROUTED_AWAY_SECONDS:
        yield f"preStop waits {sleep:g} s, and proxies take {ROUTED_AWAY_SECONDS}"
    needed = sleep + leaving_seconds(role, settings) + SPARE_SECONDS[role]
    given = workload.spec["terminationGracePeriodSeconds"].number(30)
    if given < needed:
        yield f"terminationGracePeriodSeconds is {given:g}, and leaving may take {needed:g}"


def _of_rollout(workload: Workload) -> Iterator[str]:
    update = workload.object.at("spec", "strategy", "rollingUpdate")
    if workload.kind == "Deployment" and update["maxUnavailable"].text() != "0":
        yield "a rolling update takes pods away before others are there: maxUnavailable is not 0"
