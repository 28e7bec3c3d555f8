"""All that decides what a run does, but for the machine's own haste."""

from dataclasses import dataclass, replace

from tests.infrastructure.kubelet.kubelet import at_once
from tests.infrastructure.kubelet.template import Deployment


@dataclass(frozen=True, slots=True)
class Plan:
    """`pace` scales what is waited for; 1 is as the manifests have it. `before` are the seconds of
    traffic to compare with. The job that is begun with the rollout makes so many `trials`, others
    one. In the end all that was begun has `patience` seconds to end. With `faults` pods then
    freeze, are never ready, and lose the database."""

    apis: int = 3
    workers: int = 2
    rate: float = 200.0
    pace: float = 1.0
    before: float = 10.0
    after: float = 5.0
    job_seconds: float = 3.0
    most_jobs: int = 3
    trials: int = 200
    seed: int = 2026
    patience: float = 300.0
    faults: bool = False
    mutant: str | None = None


def _no_pre_stop(deployment: Deployment) -> Deployment:
    return _with(deployment, pre_stop=0.0)


def _short_grace(deployment: Deployment) -> Deployment:
    return _with(deployment, grace=1.0)


def _always_ready(deployment: Deployment) -> Deployment:
    return replace(deployment, template=at_once(deployment.template))


def _all_at_once(deployment: Deployment) -> Deployment:
    return replace(deployment, unavailable=deployment.replicas)


MUTANTS = {
    "no_pre_stop": _no_pre_stop,
    "short_grace": _short_grace,
    "always_ready": _always_ready,
    "all_at_once": _all_at_once,
}
"""Faults of manifests; each must cost requests, or jobs their time."""


def _with(deployment: Deployment, **values: float) -> Deployment:
    return replace(deployment, template=replace(deployment.template, **values))  # type: ignore[arg-type]
