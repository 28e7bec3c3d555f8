"""What a pod is told by the rendered manifests, and how its Deployment may replace it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from infrastructure.kubernetes.checks.manifests import Manifests, Workload
from infrastructure.kubernetes.checks.node import Node
from tests.infrastructure.kubelet.probe import Probe


@dataclass(frozen=True, slots=True)
class Template:
    """`secrets` are the names of the variables whose values only the cluster knows."""

    name: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    secrets: frozenset[str]
    ports: Mapping[str, int]
    startup: Probe | None
    readiness: Probe | None
    liveness: Probe | None
    pre_stop: float
    grace: float

    @classmethod
    def of(cls, manifests: Manifests, workload: Workload) -> "Template":
        [container] = workload.containers()
        variables = list(container["env"].each())
        return cls(
            name=workload.name,
            arguments=tuple(each.text() for each in container["args"].each()),
            environment=_shared(manifests, container)
            | {each["name"].text(): each["value"].text() for each in variables if each["value"]},
            secrets=frozenset(each["name"].text() for each in variables if each["valueFrom"]),
            ports=workload.ports(),
            startup=Probe.of(container["startupProbe"]),
            readiness=Probe.of(container["readinessProbe"]),
            liveness=Probe.of(container["livenessProbe"]),
            pre_stop=container.at("lifecycle", "preStop", "sleep", "seconds").number(0),
            grace=workload.spec["terminationGracePeriodSeconds"].number(30),
        )


@dataclass(frozen=True, slots=True)
class Deployment:
    """`surge` pods beyond `replicas` at most, `unavailable` below at most."""

    replicas: int
    surge: int
    unavailable: int
    min_ready: float
    template: Template

    @classmethod
    def read(cls, manifests: Manifests, name: str) -> "Deployment":
        [workload] = [
            each for each in manifests.workloads() if (each.kind, each.name) == ("Deployment", name)
        ]
        spec = workload.object["spec"]
        replicas = int(spec["replicas"].number(_least(manifests, name)))
        update = spec.at("strategy", "rollingUpdate")
        return cls(
            replicas=replicas,
            surge=share_of(update["maxSurge"], replicas, up=True),
            unavailable=share_of(update["maxUnavailable"], replicas, up=False),
            min_ready=spec["minReadySeconds"].number(0),
            template=Template.of(manifests, workload),
        )


def annotation_of_the_ingress(manifests: Manifests, name: str) -> str:
    ingress = manifests.find("Ingress", "api")
    annotations = ingress.at("metadata", "annotations").texts()
    return annotations[f"nginx.ingress.kubernetes.io/{name}"]


def _shared(manifests: Manifests, container: Node) -> dict[str, str]:
    given: dict[str, str] = {}
    for source in container["envFrom"].each():
        settings = manifests.find("ConfigMap", source.at("configMapRef", "name").text())
        given |= settings["data"].texts()
    return given


def _least(manifests: Manifests, name: str) -> float:
    """The replicas that an autoscaler begins with; Kubernetes' own default without one."""
    scalers = [
        each
        for each in manifests.of_kind("HorizontalPodAutoscaler")
        if each.at("spec", "scaleTargetRef", "name").text() == name
    ]
    return max((each.at("spec", "minReplicas").number(1) for each in scalers), default=1)


def share_of(value: Node, replicas: int, *, up: bool) -> int:
    text = value.text() or "25%"
    if not text.endswith("%"):
        return int(text)
    exact = replicas * float(text[:-1]) / 100
    return math.ceil(exact) if up else math.floor(exact)
