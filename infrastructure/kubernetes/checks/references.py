"""Whatever a manifest names is there: pods, ports, accounts, settings, claims."""

from collections.abc import Iterator

from infrastructure.kubernetes.checks.manifests import (
    Manifests,
    Workload,
    containers_of,
    meets,
    name_of,
    title_of,
)
from infrastructure.kubernetes.checks.node import Node

SCALERS = ("HorizontalPodAutoscaler", "ScaledObject")


def references(manifests: Manifests) -> Iterator[str]:
    """What is named and is not there."""
    yield from _of_services(manifests)
    yield from _of_ingresses(manifests)
    yield from _of_budgets(manifests)
    yield from _of_autoscalers(manifests)
    yield from _of_monitors(manifests)
    for workload in manifests.workloads():
        for fault in (*_of_workload(manifests, workload), *_of_volumes(manifests, workload)):
            yield f"{workload.kind}/{workload.name}: {fault}"
    yield from _of_settings(manifests)


def _of_services(manifests: Manifests) -> Iterator[str]:
    for service in manifests.of_kind("Service"):
        pods = manifests.selected(service.at("spec", "selector").texts())
        if not pods:
            yield f"{title_of(service)}: selects no pod"
        for port in service.at("spec", "ports").each():
            target = (port["targetPort"] or port["port"]).text()
            for pod in pods:
                if target not in {*pod.ports(), *map(str, pod.ports().values())}:
                    yield f"{title_of(service)}: {pod.kind}/{pod.name} has no port {target}"


def _of_ingresses(manifests: Manifests) -> Iterator[str]:
    for ingress in manifests.of_kind("Ingress"):
        for rule in ingress.at("spec", "rules").each():
            for path in rule.at("http", "paths").each():
                backend = path.at("backend", "service")
                service = manifests.find("Service", backend["name"].text())
                names = [port["name"].text() for port in service.at("spec", "ports").each()]
                if backend.at("port", "name").text() not in names:
                    yield f"{title_of(ingress)}: no such port of a Service: {backend.value}"


def _of_budgets(manifests: Manifests) -> Iterator[str]:
    for budget in manifests.of_kind("PodDisruptionBudget"):
        selector = budget.at("spec", "selector")
        if not any(meets(each.labels, selector) for each in manifests.workloads()):
            yield f"{title_of(budget)}: selects no pod"


def _of_autoscalers(manifests: Manifests) -> Iterator[str]:
    for scaler in (each for kind in SCALERS for each in manifests.of_kind(kind)):
        target = scaler.at("spec", "scaleTargetRef")
        scaled = manifests.find(target["kind"].text(), target["name"].text())
        if not scaled:
            yield f"{title_of(scaler)}: there is no {target['kind'].text()}/{target['name'].text()}"
        if scaled.at("spec", "replicas"):
            yield f"{title_of(scaler)}: {title_of(scaled)} sets replicas, and so undoes it"


def _of_monitors(manifests: Manifests) -> Iterator[str]:
    for monitor in manifests.of_kind("ServiceMonitor"):
        selector = monitor.at("spec", "selector")
        services = [
            each
            for each in manifests.of_kind("Service")
            if meets(each.at("metadata", "labels").texts(), selector)
        ]
        ports = {
            port["name"].text() for each in services for port in each.at("spec", "ports").each()
        }
        for endpoint in monitor.at("spec", "endpoints").each():
            if endpoint["port"].text() not in ports:
                yield f"{title_of(monitor)}: no Service has the port {endpoint['port'].text()}"


def _of_workload(manifests: Manifests, workload: Workload) -> Iterator[str]:
    selector = workload.object.at("spec", "selector")
    if selector and not meets(workload.labels, selector):
        yield "does not select its own pods"
    for constraint in workload.spec["topologySpreadConstraints"].each():
        if not meets(workload.labels, constraint["labelSelector"]):
            yield "spreads other pods than its own"
    account = workload.spec["serviceAccountName"].text()
    if not manifests.find("ServiceAccount", account):
        yield f"there is no ServiceAccount/{account}"


def _of_volumes(manifests: Manifests, workload: Workload) -> Iterator[str]:
    volumes = {each["name"].text() for each in workload.spec["volumes"].each()}
    for volume in workload.spec["volumes"].each():
        claim = volume.at("persistentVolumeClaim", "claimName").text()
        if claim and not manifests.find("PersistentVolumeClaim", claim):
            yield f"there is no PersistentVolumeClaim/{claim}"
    for container in workload.containers():
        for mount in container["volumeMounts"].each():
            if mount["name"].text() not in volumes:
                yield f"there is no volume {mount['name'].text()}"


def _of_settings(manifests: Manifests) -> Iterator[str]:
    known = {name_of(each): each["data"].names() for each in manifests.of_kind("ConfigMap")}
    for title, _, container in containers_of(manifests):
        for source in container["envFrom"].each():
            if source["configMapRef"] and source.at("configMapRef", "name").text() not in known:
                yield f"{title}: there is no ConfigMap/{source.at('configMapRef', 'name').text()}"
        for variable in container["env"].each():
            reference = variable.at("valueFrom", "configMapKeyRef")
            if reference and not _is_in(known, reference):
                yield f"{title}: {variable['name'].text()} is in no ConfigMap"


def _is_in(known: dict[str, list[str]], reference: Node) -> bool:
    return reference["key"].text() in known.get(reference["name"].text(), [])
