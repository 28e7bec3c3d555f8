"""A Ray cluster's nodes: who may have them work, and that both ends are of one release."""

from collections.abc import Iterator

from infrastructure.kubernetes.checks.configuration import environment, settings_of
from infrastructure.kubernetes.checks.manifests import (
    RAY,
    Manifests,
    Workload,
    containers_of,
    groups_of,
    name_of,
    role_of,
    title_of,
)
from infrastructure.kubernetes.checks.node import Node

MODE, TOKEN = "RAY_AUTH_MODE", "RAY_AUTH_TOKEN"
CLIENT = "client"


def cluster(manifests: Manifests) -> Iterator[str]:
    """What would let strangers in, or workers in vain."""
    for each in manifests.of_kind(RAY):
        found = (*_of_spec(each["spec"]), *_of_pods(each), *_of_workers(manifests, each))
        yield from (f"{title_of(each)}: {fault}" for fault in found)


def _of_spec(spec: Node) -> Iterator[str]:
    head = spec["headGroupSpec"]
    if spec["enableInTreeAutoscaling"].value is not False:
        yield "its autoscaler would call the Kubernetes API, and no pod here may"
    if head["serviceType"].text() != "ClusterIP" or head["enableIngress"].value is not False:
        yield "the head is shown to the world"
    if head.at("rayStartParams", "num-cpus").text() != "0":
        yield "the head takes work, and is lost with it"
    for group in spec["workerGroupSpecs"].each():
        name = group["groupName"].text()
        if not group.at("rayStartParams", "num-cpus"):
            yield f"{name}: num-cpus is not said, and would be the limit's"
        numbers = [group[each].number() for each in ("minReplicas", "replicas", "maxReplicas")]
        if numbers != sorted(numbers):
            yield f"{name}: replicas are not between minReplicas and maxReplicas"


def _of_pods(found: Node) -> Iterator[str]:
    for pods in groups_of(found):
        for container in pods.containers():
            for fault in (*_of_probes(pods, container), *_of_token(container)):
                yield f"{pods.name}: {fault}"


def _of_probes(pods: Workload, container: Node) -> Iterator[str]:
    """Those that KubeRay adds where there are none ask with wget, which the image has not."""
    for probe in ("readinessProbe", "livenessProbe"):
        port = container.at(probe, "tcpSocket", "port").text()
        if port not in pods.ports():
            yield f"{probe} asks no port that has a name"
    if container["command"] or container["args"]:
        yield "a command line is set, in the place of KubeRay's"


def _of_token(container: Node) -> Iterator[str]:
    given = {each["name"].text(): each for each in container["env"].each()}
    if MODE not in given or given[MODE]["value"].text() != "token":
        yield f"{MODE} is not token: whoever reaches it runs what he likes"
    if TOKEN not in given or not given[TOKEN].at("valueFrom", "secretKeyRef", "name"):
        yield f"{TOKEN} is not of a Secret"


def _of_workers(manifests: Manifests, found: Node) -> Iterator[str]:
    head, *nodes = groups_of(found)
    address = f"ray://{name_of(found)}-head-svc:{head.ports().get(CLIENT)}"
    images = {each["image"].text() for group in (head, *nodes) for each in group.containers()}
    workers = [each for _, _, each in containers_of(manifests) if role_of(each) == "worker"]
    for worker in workers:
        given = environment(manifests, worker)
        if settings_of(manifests, worker).ray_address != address:
            yield f"workers are told {given.get('MORROW_RAY_ADDRESS')}, and it is {address}"
        if images != {worker["image"].text()}:
            yield f"nodes run {sorted(images)}, and workers {worker['image'].text()}"
        for fault in _of_token(worker):
            yield f"workers: {fault}"
