"""The restricted Pod Security Standard, and what this house asks beyond it.

Source of the rules: Kubernetes, Pod Security Standards, profiles Baseline and Restricted.
"""

from collections.abc import Iterator

from infrastructure.kubernetes.checks.manifests import Manifests, Workload, containers_of, title_of
from infrastructure.kubernetes.checks.node import Node

VOLUMES = {
    *("configMap", "csi", "downwardAPI", "emptyDir"),
    *("ephemeral", "persistentVolumeClaim", "projected", "secret"),
}
SECCOMP = {"RuntimeDefault", "Localhost"}
SAFE_SYSCTLS = {
    *(
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.ip_unprivileged_port_start",
    ),
    *("net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range", "net.ipv4.ip_local_reserved_ports"),
    *("net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout"),
    *("net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes"),
}
SELINUX_TYPES = {"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"}
LEAST_UID = 10_000
ENFORCED = "pod-security.kubernetes.io/enforce"


def pod_security(manifests: Manifests) -> Iterator[str]:
    """What the restricted standard refuses, or this house does."""
    for namespace in manifests.of_kind("Namespace"):
        if namespace.at("metadata", "labels", ENFORCED).text() != "restricted":
            yield f"{title_of(namespace)}: {ENFORCED} is not restricted"
    for workload in manifests.workloads():
        for fault in _of_pod(workload.spec):
            yield f"{workload.kind}/{workload.name}: {fault}"
    for title, workload, container in containers_of(manifests):
        for fault in (*_of_container(workload, container), *_beyond(workload, container)):
            yield f"{title}: {fault}"


def _of_pod(spec: Node) -> Iterator[str]:
    for name in ("hostNetwork", "hostPID", "hostIPC"):
        if spec[name].value:
            yield f"{name} is set"
    for volume in spec["volumes"].each():
        for kind in set(volume.names()) - {"name"} - VOLUMES:
            yield f"volume {volume['name'].text()} is a {kind}"
    for sysctl in spec.at("securityContext", "sysctls").each():
        if sysctl["name"].text() not in SAFE_SYSCTLS:
            yield f"sysctl {sysctl['name'].text()} is not a safe one"
    if spec["automountServiceAccountToken"].value is not False:
        yield "automountServiceAccountToken is not false"


def _of_container(workload: Workload, container: Node) -> Iterator[str]:
    own = container["securityContext"]
    if own["privileged"].value:
        yield "privileged"
    if own["allowPrivilegeEscalation"].value is not False:
        yield "allowPrivilegeEscalation is not false"
    if effective(workload, container, "runAsNonRoot").value is not True:
        yield "runAsNonRoot is not true"
    if effective(workload, container, "seccompProfile")["type"].text() not in SECCOMP:
        yield f"seccompProfile is not among {sorted(SECCOMP)}"
    capabilities = own["capabilities"]
    if "ALL" not in [each.text() for each in capabilities["drop"].each()]:
        yield "capabilities are not dropped"
    for added in capabilities["add"].each():
        if added.text() != "NET_BIND_SERVICE":
            yield f"capability {added.text()} is added"
    if own["procMount"].text() not in {"", "Default"}:
        yield f"procMount is {own['procMount'].text()}"
    if effective(workload, container, "seLinuxOptions")["type"].text() not in SELINUX_TYPES:
        yield "seLinuxOptions.type is one of its own"
    if effective(workload, container, "windowsOptions")["hostProcess"].value:
        yield "windowsOptions.hostProcess is set"
    for port in container["ports"].each():
        if port["hostPort"]:
            yield f"hostPort {port['hostPort'].text()} is taken"


def _beyond(workload: Workload, container: Node) -> Iterator[str]:
    if container.at("securityContext", "readOnlyRootFilesystem").value is not True:
        yield "readOnlyRootFilesystem is not true"
    uid = effective(workload, container, "runAsUser").number()
    if uid < LEAST_UID:
        yield f"runAsUser {uid:g} is below {LEAST_UID}"


def effective(workload: Workload, container: Node, name: str) -> Node:
    """Of the container's security context, else of its pod's."""
    return container["securityContext"][name] or workload.spec["securityContext"][name]
