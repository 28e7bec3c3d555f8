"""NetworkPolicies mean here what they mean in Kubernetes."""

from collections.abc import Iterator, Mapping
from itertools import product

import pytest

from infrastructure.kubernetes.checks.manifests import Manifests, meets
from infrastructure.kubernetes.checks.network import Peer, Port, Table, matrix, read_table
from infrastructure.kubernetes.checks.node import Node

PODS = """
kind: Pod
metadata: {name: one, labels: {app: one}}
spec: {containers: [{name: it, ports: [{name: web, containerPort: 80}]}]}
---
kind: Pod
metadata: {name: two, labels: {app: two}}
spec: {containers: [{name: it, ports: [{name: web, containerPort: 90}]}]}
"""
FRIEND = Peer("friend", "10.9.0.1", {"app": "one"}, namespace="friends")
OUTSIDE = Peer("outside", "203.0.113.9", is_pod=False)
TABLE = Table((FRIEND, OUTSIDE), frozenset({Port(53, "UDP"), Port(80), Port(90)}), frozenset())
EVERYBODY = ["one", "two", "friend", "outside"]
PORTS = ["53/UDP", "80/TCP", "90/TCP"]


def every(sources: list[str], targets: list[str], ports: list[str] = PORTS) -> Iterator[str]:
    for source, target, port in product(sources, targets, ports):
        if source != target and {source, target} & {"one", "two"}:
            yield f"{source} -> {target} {port}"


def allowed(*policies: str) -> set[str]:
    texts = [f"kind: NetworkPolicy\nmetadata: {{name: it}}\nspec: {each}" for each in policies]
    return set(matrix(Manifests.of("\n---\n".join([PODS, *texts])), TABLE))


DENY = "{podSelector: {}, policyTypes: [Ingress, Egress]}"
TO_ONE = "podSelector: {matchLabels: {app: one}}"


def test_without_a_policy_everybody_talks_to_everybody() -> None:
    assert allowed() == set(every(EVERYBODY, EVERYBODY))


def test_a_policy_without_rules_denies() -> None:
    assert allowed(DENY) == set()


def test_a_policy_denies_only_those_it_selects_and_only_its_direction() -> None:
    found = allowed(f"{{{TO_ONE}, policyTypes: [Ingress]}}")
    assert found == set(every(EVERYBODY, EVERYBODY)) - set(every(EVERYBODY, ["one"]))


def test_without_types_it_is_of_egress_where_it_has_such_rules() -> None:
    inwards = set(every(EVERYBODY, ["one"]))
    outwards = set(every(["one"], EVERYBODY))
    everything = set(every(EVERYBODY, EVERYBODY))
    assert allowed(f"{{{TO_ONE}, ingress: []}}") == everything - inwards
    found = allowed(f"{{{TO_ONE}, egress: [{{ports: [{{port: 80}}]}}]}}")
    assert found == everything - inwards - (outwards - set(every(["one"], EVERYBODY, ["80/TCP"])))


def test_rules_of_several_policies_add_up() -> None:
    found = allowed(
        DENY,
        f"{{{TO_ONE}, policyTypes: [Ingress], ingress: [{{ports: [{{port: 80}}]}}]}}",
        f"{{{TO_ONE}, policyTypes: [Ingress], ingress: [{{ports: [{{port: 90}}]}}]}}",
    )
    assert found == set(every(["friend", "outside"], ["one"], ["80/TCP", "90/TCP"]))


def test_between_two_pods_both_must_be_allowed() -> None:
    comes_in = f"{{{TO_ONE}, policyTypes: [Ingress], ingress: [{{from: [{{podSelector: {{}}}}]}}]}}"
    goes_out = (
        "{podSelector: {matchLabels: {app: two}}, policyTypes: [Egress], egress: [{to: "
        "[{podSelector: {matchLabels: {app: one}}}]}]}"
    )
    assert allowed(DENY, comes_in) == set()
    assert allowed(DENY, goes_out) == set()
    assert allowed(DENY, comes_in, goes_out) == set(every(["two"], ["one"]))


@pytest.mark.parametrize(
    ("peer", "callers"),
    [
        ("{podSelector: {matchLabels: {app: one}}}", []),  # of this namespace alone
        ("{namespaceSelector: {}}", ["friend"]),
        ("{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: friends}}}", ["friend"]),
        ("{namespaceSelector: {}, podSelector: {matchLabels: {app: two}}}", []),
        ("{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: foes}}}", []),
        ("{ipBlock: {cidr: 203.0.113.0/24}}", ["outside"]),
        ("{ipBlock: {cidr: 0.0.0.0/0, except: [203.0.113.8/29]}}", ["friend"]),
    ],
)
def test_who_a_rule_means(peer: str, callers: list[str]) -> None:
    found = allowed(DENY, f"{{{TO_ONE}, policyTypes: [Ingress], ingress: [{{from: [{peer}]}}]}}")
    assert found == set(every(callers, ["one"]))


@pytest.mark.parametrize(
    ("port", "ports"),
    [
        ("{port: 80}", ["80/TCP"]),
        ("{port: web}", ["80/TCP"]),  # what the pod that is called names so
        ("{port: 53}", []),  # TCP, where nothing is said
        ("{port: 53, protocol: UDP}", ["53/UDP"]),
        ("{protocol: TCP}", ["80/TCP", "90/TCP"]),
        ("{port: 80, endPort: 95}", ["80/TCP", "90/TCP"]),
    ],
)
def test_which_ports_a_rule_means(port: str, ports: list[str]) -> None:
    rule = f"{{from: [{{ipBlock: {{cidr: 203.0.113.9/32}}}}], ports: [{port}]}}"
    found = allowed(DENY, f"{{{TO_ONE}, policyTypes: [Ingress], ingress: [{rule}]}}")
    assert found == set(every(["outside"], ["one"], ports))


@pytest.mark.parametrize(
    ("expression", "labels", "expected"),
    [
        ({"operator": "In", "values": ["a", "b"]}, {"k": "a"}, True),
        ({"operator": "In", "values": ["a", "b"]}, {}, False),
        ({"operator": "NotIn", "values": ["a"]}, {"k": "a"}, False),
        ({"operator": "NotIn", "values": ["a"]}, {}, True),
        ({"operator": "Exists"}, {"k": ""}, True),
        ({"operator": "Exists"}, {}, False),
        ({"operator": "DoesNotExist"}, {"k": ""}, False),
        ({"operator": "DoesNotExist"}, {}, True),
    ],
)
def test_expressions_of_a_selector(
    expression: Mapping[str, object], labels: Mapping[str, str], expected: bool
) -> None:
    selector = Node({"matchExpressions": [{"key": "k", **expression}]})
    assert meets(labels, selector) is expected


def test_the_table_grows_with_monitoring() -> None:
    text = """
    ports = ["80/TCP"]
    [[allowed]]
    from = ["a"]
    to = ["b", "c"]
    ports = ["80/TCP"]
    [[monitored]]
    from = ["p"]
    to = ["a"]
    ports = ["90/TCP"]
    [peers.p]
    ip = "10.0.0.1"
    """
    assert read_table(text, []).allowed == {"a -> b 80/TCP", "a -> c 80/TCP"}
    assert "p -> a 90/TCP" in read_table(text, ["monitored"]).allowed
