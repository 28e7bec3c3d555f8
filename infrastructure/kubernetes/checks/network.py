"""Who may talk to whom: computed from NetworkPolicies, as Kubernetes defines them, and compared
with the table in `allowed.toml`.

Between two pods both must be allowed: to go out, and to come in. Of a peer outside the namespace
only the one end that is ours is known.
"""

import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from itertools import product
from pathlib import Path
from typing import Any, Literal

from infrastructure.kubernetes.checks.manifests import Manifests, meets
from infrastructure.kubernetes.checks.node import Node

ADDED = {"monitored": "ServiceMonitor", "backed_up": "CronJob", "clustered": "RayCluster"}
"""Lines that the table has only where there is something of a kind."""
TABLE = Path(__file__).parent / "allowed.toml"
NAMESPACE_NAME = "kubernetes.io/metadata.name"
Direction = Literal["ingress", "egress"]


@dataclass(frozen=True, slots=True)
class Peer:
    """A pod, ours where `namespace` is None, or an address outside the cluster."""

    name: str
    ip: str
    labels: Mapping[str, str] = field(default_factory=dict)
    namespace: str | None = None
    is_pod: bool = True
    ports: Mapping[str, int] = field(default_factory=dict)

    @property
    def ours(self) -> bool:
        return self.is_pod and self.namespace is None


@dataclass(frozen=True, slots=True, order=True)
class Port:
    number: int
    protocol: str = "TCP"

    def __str__(self) -> str:
        return f"{self.number}/{self.protocol}"


@dataclass(frozen=True, slots=True)
class Table:
    """What is written down: peers outside, the ports to look at, and who may."""

    peers: tuple[Peer, ...]
    ports: frozenset[Port]
    allowed: frozenset[str]


def network(manifests: Manifests, table: Table | None = None) -> Iterator[str]:
    """Where the table and the policies differ, each way."""
    added = [name for name, kind in ADDED.items() if manifests.of_kind(kind)]
    table = table or read_table(TABLE.read_text(), added)
    found = set(matrix(manifests, table))
    for line in sorted(found - table.allowed):
        yield f"NetworkPolicies allow {line}, which {TABLE.name} does not"
    for line in sorted(table.allowed - found):
        yield f"NetworkPolicies do not allow {line}, which {TABLE.name} does"


def read_table(text: str, added: Collection[str]) -> Table:
    """The table, with what is `added`."""
    read: dict[str, Any] = tomllib.loads(text)
    lines = [line for name in ("allowed", *added) for line in read[name]]
    return Table(
        peers=tuple(Peer(name=name, **peer) for name, peer in read["peers"].items()),
        ports=frozenset(map(_port_of, read["ports"])),
        allowed=frozenset(
            f"{source} -> {target} {port}"
            for line in lines
            for source, target, port in product(*(line[name] for name in ("from", "to", "ports")))
        ),
    )


def _port_of(text: str) -> Port:
    number, _, protocol = text.partition("/")
    return Port(int(number), protocol)


def matrix(manifests: Manifests, table: Table) -> Iterator[str]:
    """Every `source -> target port` that the policies allow."""
    policies = manifests.of_kind("NetworkPolicy")
    ours = [
        Peer(each.name, f"10.244.0.{number}", each.labels, ports=each.ports())
        for number, each in enumerate(manifests.workloads(), 10)
    ]
    named = {Port(number) for each in ours for number in each.ports.values()}
    for source, target in product((*ours, *table.peers), repeat=2):
        if source is target or not (source.ours or target.ours):
            continue
        for port in sorted(table.ports | named):
            if _may(policies, source, target, port):
                yield f"{source.name} -> {target.name} {port}"


def _may(policies: list[Node], source: Peer, target: Peer, port: Port) -> bool:
    goes_out = not source.ours or _passes(policies, "egress", source, target, target, port)
    comes_in = not target.ours or _passes(policies, "ingress", target, source, target, port)
    return goes_out and comes_in


def _passes(
    policies: list[Node], way: Direction, pod: Peer, other: Peer, target: Peer, port: Port
) -> bool:
    """A pod that no policy of this direction selects is open; else one of them must allow."""
    concerned = [each for each in policies if _concerns(each, way, pod)]
    rules = [rule for each in concerned for rule in each.at("spec", way).each()]
    return not concerned or any(_rule_allows(rule, way, other, target, port) for rule in rules)


def _concerns(policy: Node, way: Direction, pod: Peer) -> bool:
    spec = policy["spec"]
    named = [each.text() for each in spec["policyTypes"].each()]
    by_default = ["Ingress", *(["Egress"] if spec["egress"] else [])]
    return way.capitalize() in (named or by_default) and meets(pod.labels, spec["podSelector"])


def _rule_allows(rule: Node, way: Direction, other: Peer, target: Peer, port: Port) -> bool:
    peers = list(rule["from" if way == "ingress" else "to"].each())
    ports = list(rule["ports"].each())
    return (not peers or any(_is_peer(each, other) for each in peers)) and (
        not ports or any(_is_port(each, target, port) for each in ports)
    )


def _is_peer(said: Node, other: Peer) -> bool:
    if said["ipBlock"]:
        excepted = [each.text() for each in said.at("ipBlock", "except").each()]
        return _is_within(other.ip, [said.at("ipBlock", "cidr").text()]) and not _is_within(
            other.ip, excepted
        )
    if not other.is_pod:
        return False
    if said["namespaceSelector"]:
        of_namespace = {NAMESPACE_NAME: other.namespace or "morrow"}
        return meets(of_namespace, said["namespaceSelector"]) and meets(
            other.labels, said["podSelector"]
        )
    return other.ours and meets(other.labels, said["podSelector"])


def _is_within(ip: str, blocks: Iterable[str]) -> bool:
    return any(ip_address(ip) in ip_network(block) for block in blocks)


def _is_port(said: Node, target: Peer, port: Port) -> bool:
    if said["protocol"].text() not in {port.protocol, ""} or (
        not said["protocol"] and port.protocol != "TCP"
    ):
        return False
    if not said["port"]:
        return True
    if isinstance(said["port"].value, str):
        return target.ports.get(said["port"].text()) == port.number
    first = said["port"].number()
    return first <= port.number <= said["endPort"].number(first)
