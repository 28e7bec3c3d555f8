"""Pods are judged as Kubernetes judges them."""

import pytest

from infrastructure.kubernetes.checks.node import Node
from tests.infrastructure.kubelet.probe import Probe, Verdict
from tests.infrastructure.kubelet.template import share_of


def verdict(**said: int) -> Verdict:
    probe = Probe.of(Node({"httpGet": {"path": "/", "port": "http"}, **said}))
    assert probe is not None
    return Verdict(probe)


def judged(asked: Verdict, answers: str) -> list[bool | None]:
    """What is thought after each answer: + is well, - is not."""
    thought = []
    for answer in answers:
        asked.hear(answer == "+")
        thought.append(asked.passes)
    return thought


def test_only_failures_in_a_row_count() -> None:
    assert judged(verdict(failureThreshold=3), "+--+--+---+") == [
        *(True, True, True, True, True, True, True, True, True, False, True),
    ]


def test_nothing_is_known_before_there_were_enough_of_either() -> None:
    assert judged(verdict(failureThreshold=2, successThreshold=2), "-+-++") == [
        *(None, None, None, None, True),
    ]


def test_what_a_manifest_leaves_out_is_as_kubernetes_has_it() -> None:
    probe = verdict().probe
    assert (probe.delay, probe.period, probe.timeout) == (0, 10, 1)
    assert (probe.failures, probe.successes) == (3, 1)


@pytest.mark.parametrize(
    ("value", "up", "share"),
    [(1, True, 1), (0, False, 0), ("50%", True, 2), ("50%", False, 1), (None, True, 1)],
)
def test_shares_of_pods_are_rounded_up_for_surge_and_down_for_those_away(
    value: object, up: bool, share: int
) -> None:
    assert share_of(Node(value), 3, up=up) == share
