"""Render every overlay and tell what is wrong with it: part of `make lint`."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from infrastructure.kubernetes.checks.cluster import cluster
from infrastructure.kubernetes.checks.configuration import configuration
from infrastructure.kubernetes.checks.doorway import doorway
from infrastructure.kubernetes.checks.jobs import jobs
from infrastructure.kubernetes.checks.life import life
from infrastructure.kubernetes.checks.manifests import Manifests
from infrastructure.kubernetes.checks.measured import measured
from infrastructure.kubernetes.checks.network import network
from infrastructure.kubernetes.checks.pod_security import pod_security
from infrastructure.kubernetes.checks.references import references
from infrastructure.kubernetes.checks.rendering import (
    OVERLAYS,
    NoRenderer,
    NotRendered,
    render,
    renderers,
)
from infrastructure.kubernetes.checks.resources import resources
from infrastructure.kubernetes.checks.schemas import schemas

Check = Callable[[Manifests], Iterator[str]]
STAGES: tuple[tuple[Check, ...], ...] = (
    (schemas,),
    (configuration,),
    (pod_security, references, life, jobs, cluster, doorway, resources, network, measured),
)
"""What is no manifest, or no environment that the service starts with, is not looked at further."""


def faults(manifests: Manifests) -> list[str]:
    """A line for each fault that the first stage with any finds."""
    found = ([line for check in stage for line in check(manifests)] for stage in STAGES)
    return next(filter(None, found), [])


def main(overlays: Path, commands: list[list[str]]) -> int:
    try:
        found = [
            f"{directory.name}: {fault}"
            for directory in sorted(overlays.iterdir())
            for fault in faults(render(directory, commands))
        ]
    except (NoRenderer, NotRendered) as refused:
        found = [str(refused)]
    print(*found, sep="\n", file=sys.stderr, end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main(OVERLAYS, renderers()))
