"""The objects of a rendered overlay, and what the checks ask of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import yaml

from infrastructure.kubernetes.checks.node import Node

WORKLOADS = {
    "Deployment": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
    "Pod": (),
}
"""Where each keeps the template of its pods."""
RAY = "RayCluster"
"""Which keeps several."""


@dataclass(frozen=True, slots=True)
class Workload:
    """What runs pods, and their template."""

    name: str
    kind: str
    object: Node
    pod: Node

    @property
    def labels(self) -> dict[str, str]:
        return self.pod.at("metadata", "labels").texts()

    @property
    def spec(self) -> Node:
        return self.pod["spec"]

    def containers(self) -> list[Node]:
        """All of them, those that go first too."""
        kinds = ("initContainers", "containers", "ephemeralContainers")
        return [each for kind in kinds for each in self.spec[kind].each()]

    def ports(self) -> dict[str, int]:
        """The numbers of the ports that have a name."""
        return {
            port["name"].text(): int(port["containerPort"].number())
            for container in self.containers()
            for port in container["ports"].each()
        }


@dataclass(frozen=True, slots=True)
class Manifests:
    objects: tuple[Node, ...]

    @classmethod
    def of(cls, text: str) -> "Manifests":
        """Those of a stream of YAML documents."""
        return cls(tuple(Node(each) for each in yaml.safe_load_all(text) if each is not None))

    def of_kind(self, kind: str) -> list[Node]:
        return [each for each in self.objects if each["kind"].text() == kind]

    def find(self, kind: str, name: str) -> Node:
        """Empty where there is none."""
        named = (each for each in self.of_kind(kind) if name_of(each) == name)
        return next(named, Node())

    def workloads(self) -> list[Workload]:
        plain = [
            Workload(name_of(each), kind, each, each.at(*path))
            for kind, path in WORKLOADS.items()
            for each in self.of_kind(kind)
        ]
        return plain + [pods for each in self.of_kind(RAY) for pods in groups_of(each)]

    def selected(self, labels: Mapping[str, str]) -> list[Workload]:
        """Whose pods have all of `labels`."""
        return [each for each in self.workloads() if labels.items() <= each.labels.items()]


def groups_of(cluster: Node) -> list[Workload]:
    """The pods of a RayCluster: its head, and each group of nodes."""
    head = ("head", cluster.at("spec", "headGroupSpec"))
    nodes = [
        (each["groupName"].text(), each) for each in cluster.at("spec", "workerGroupSpecs").each()
    ]
    return [
        Workload(f"{name_of(cluster)}-{name}", RAY, cluster, group["template"])
        for name, group in (head, *nodes)
    ]


def name_of(object_: Node) -> str:
    return object_.at("metadata", "name").text()


def title_of(object_: Node) -> str:
    return f"{object_['kind'].text()}/{name_of(object_)}"


def containers_of(manifests: Manifests) -> Iterator[tuple[str, Workload, Node]]:
    """Each container with the words that name it."""
    for workload in manifests.workloads():
        for container in workload.containers():
            yield (
                f"{workload.kind}/{workload.name}: {container['name'].text()}",
                workload,
                container,
            )


def role_of(container: Node) -> str:
    """The command of `morrow` that it runs."""
    return next((each.text() for each in container["args"].each()), "")


def meets(labels: Mapping[str, str], selector: Node) -> bool:
    """Whether a label selector, `matchLabels` and `matchExpressions`, takes these labels."""
    wanted = selector["matchLabels"].texts()
    expressions: Sequence[Node] = list(selector["matchExpressions"].each())
    return wanted.items() <= labels.items() and all(_holds(labels, each) for each in expressions)


def _holds(labels: Mapping[str, str], expression: Node) -> bool:
    value = labels.get(expression["key"].text())
    among = value in [each.text() for each in expression["values"].each()]
    match expression["operator"].text():
        case "In":
            return among
        case "NotIn":
            return not among
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case other:
            raise ValueError(f"{other!r} is no operator of a selector")
