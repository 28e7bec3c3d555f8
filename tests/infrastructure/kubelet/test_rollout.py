"""A release costs nobody a request, an event or a training."""

import json

import pytest

from infrastructure.kubernetes.checks.rendering import renderers
from tests.infrastructure.kubelet.running import run_kubelet

SHORT = (
    *("--apis", "2", "--workers", "1", "--rate", "60", "--pace", "0.2", "--before", "2"),
    *("--after", "1", "--job-seconds", "2"),
)


@pytest.mark.timeout(600)
@pytest.mark.skipif(not renderers(), reason="neither kubectl nor kustomize is here")
def test_a_rolling_update_under_traffic_costs_nothing() -> None:
    """Two pods of the API and a worker. What the manifests have waited for is a fifth as long, what
    the program takes is not. A job is begun every two seconds."""
    ended = run_kubelet(*SHORT)
    print(json.dumps(ended.figures))
    assert ended.figures["broken"] == [], ended.figures
    assert ended.status == 0


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_rolling_update_as_it_is_in_production_costs_nothing() -> None:
    ended = run_kubelet()
    print(json.dumps(ended.figures))
    assert ended.figures["broken"] == [], ended.figures
    assert ended.status == 0
