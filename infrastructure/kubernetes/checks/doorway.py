"""What the API is told agrees with what stands around it: its Ingress, and its disk."""

from collections.abc import Iterator

from infrastructure.kubernetes.checks.configuration import settings_of
from infrastructure.kubernetes.checks.manifests import (
    Manifests,
    Workload,
    containers_of,
    role_of,
    title_of,
)
from infrastructure.kubernetes.checks.node import Node
from services.training.metering.limits import MIB, MOST_BODY_BYTES
from services.training.settings import Settings

NGINX = "nginx.ingress.kubernetes.io/"


def doorway(manifests: Manifests) -> Iterator[str]:
    """What would be refused, cut off or lost although the API took it."""
    for title, workload, container in containers_of(manifests):
        if role_of(container) != "serve":
            continue
        settings = settings_of(manifests, container)
        for fault in (*_of_spool(workload, container, settings), *_of_hosts(manifests, settings)):
            yield f"{title}: {fault}"
        for ingress in manifests.of_kind("Ingress"):
            for fault in _of_ingress(ingress, settings):
                yield f"{title_of(ingress)}: {fault}"


def _of_hosts(manifests: Manifests, settings: Settings) -> Iterator[str]:
    """The API refuses every name that it was not told of."""
    served = {
        rule["host"].text()
        for ingress in manifests.of_kind("Ingress")
        for rule in ingress.at("spec", "rules").each()
    }
    hosts = set(settings.allowed_hosts)
    if served and served != hosts:
        yield f"MORROW_ALLOWED_HOSTS is {sorted(hosts)}, and the Ingress has {sorted(served)}"


def _of_ingress(ingress: Node, settings: Settings) -> Iterator[str]:
    said = ingress.at("metadata", "annotations").texts()
    for name in ("proxy-read-timeout", "proxy-send-timeout"):
        if float(said.get(NGINX + name, "60")) <= settings.stream_lifetime_seconds:
            yield f"{name} ends a stream before {settings.stream_lifetime_seconds:g} s"
    if said.get(NGINX + "proxy-buffering") != "off":
        yield "proxy-buffering holds back server-sent events"
    if said.get(NGINX + "proxy-body-size") != f"{MOST_BODY_BYTES // MIB}m":
        yield f"proxy-body-size is not {MOST_BODY_BYTES // MIB}m, the most that a plan allows"
    encrypted = {
        host.text() for each in ingress.at("spec", "tls").each() for host in each["hosts"].each()
    }
    for rule in ingress.at("spec", "rules").each():
        if rule["host"].text() not in encrypted:
            yield f"{rule['host'].text()} is served in the clear"


def _of_spool(workload: Workload, container: Node, settings: Settings) -> Iterator[str]:
    """What was acknowledged must outlive the pod: no spool on a disk that ends with it."""
    kind = _volume_at(workload, container, str(settings.spool_path))
    if settings.spool_bytes > 1 and kind != "persistentVolumeClaim":
        yield (
            f"what is kept in {settings.spool_path} would be lost with the pod: "
            "mount a claim there, or set MORROW_SPOOL_BYTES=1"
        )


def _volume_at(workload: Workload, container: Node, path: str) -> str:
    """The kind of the volume that `path` is on, the innermost one."""
    mounts = {m["mountPath"].text(): m["name"].text() for m in container["volumeMounts"].each()}
    below = [at for at in mounts if path == at or path.startswith(at.rstrip("/") + "/")]
    for volume in workload.spec["volumes"].each():
        if below and volume["name"].text() == mounts[max(below, key=len)]:
            return next((kind for kind in volume.names() if kind != "name"), "")
    return ""
