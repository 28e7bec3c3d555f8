"""A release costs nobody a request, an event or a training."""

import json

import pytest

from infrastructure.kubernetes.checks.rendering import renderers
from tests.infrastructure.kubelet.plan import MUTANTS
from tests.infrastructure.kubelet.running import run_kubelet

SHORT = (
    *("--apis", "2", "--workers", "1", "--rate", "40", "--pace", "0.2", "--before", "1"),
    *("--after", "1", "--job-seconds", "3", "--trials", "20"),
)
BROKEN = {
    "no_pre_stop": {"no pod is asked that is not there"},
    "short_grace": {"every pod leaves by itself"},
    "always_ready": {"no request fails"},
    "all_at_once": {"no request fails", "somebody is always routed to"},
}

pytestmark = pytest.mark.skipif(
    not renderers(), reason="neither kubectl nor kustomize is here, to render the manifests"
)


@pytest.mark.timeout(600)
def test_a_rolling_update_under_traffic_costs_nothing() -> None:
    """Two pods of the API and a worker. What the manifests have waited for is a fifth as long, what
    the program takes is not."""
    ended = run_kubelet(*SHORT)
    print(json.dumps(ended.figures))
    assert ended.figures["broken"] == [], ended.figures
    assert ended.status == 0


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_a_rolling_update_as_it_is_in_production_costs_nothing_and_faults_little() -> None:
    ended = run_kubelet("--faults")
    print(json.dumps(ended.figures))
    assert ended.figures["broken"] == [], ended.figures
    assert ended.status == 0


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_fault_of_the_manifests_is_found(mutant: str) -> None:
    ended = run_kubelet(*SHORT, "--mutant", mutant)
    assert BROKEN[mutant] <= set(ended.figures["broken"]), ended.figures
    assert ended.status == 1
