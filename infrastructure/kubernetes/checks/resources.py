"""What each container asks for and may take, and which image it is."""

import re
import tomllib
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from infrastructure.kubernetes.checks.configuration import settings_of
from infrastructure.kubernetes.checks.manifests import Manifests, Workload, containers_of, role_of
from infrastructure.kubernetes.checks.node import Node

RESOURCES = ("cpu", "memory", "ephemeral-storage")
UNITS: dict[str, Decimal] = {
    "": Decimal(1),
    "m": Decimal("0.001"),
    **{letter: Decimal(1000**power) for power, letter in enumerate("kMGT", 1)},
    **{f"{letter}i": Decimal(1024**power) for power, letter in enumerate("KMGT", 1)},
}
QUANTITY = re.compile(r"(\d+(?:\.\d+)?)([a-zA-Z]*)")
DIGEST = re.compile(r"[^@]+@sha256:[0-9a-f]{64}")
PROJECT = Path(__file__).parents[3] / "pyproject.toml"
WORKER_BYTES = 512 * 2**20
CHILD_BYTES = 256 * 2**20
"""Above the peak of the worker with its children's server, and of a child that learns a pool, as
`python -m benchmarks.child_memory` prints them."""


def resources(manifests: Manifests) -> Iterator[str]:
    """What is not said, or does not fit."""
    for title, workload, container in containers_of(manifests):
        for fault in (*_of_amounts(container), *_of_image(container["image"].text())):
            yield f"{title}: {fault}"
        for fault in _of_disk(workload, container):
            yield f"{title}: {fault}"
        if role_of(container) == "worker":
            for fault in _of_slots(manifests, container):
                yield f"{title}: {fault}"


def amount(quantity: str) -> Decimal:
    """Kubernetes' quantity as a number: cores, or bytes."""
    match = QUANTITY.fullmatch(quantity)
    if match is None or match[2] not in UNITS:
        raise ValueError(f"{quantity!r} is no quantity")
    return Decimal(match[1]) * UNITS[match[2]]


def _of_amounts(container: Node) -> Iterator[str]:
    for name in RESOURCES:
        asked, limit = (container.at("resources", part, name) for part in ("requests", "limits"))
        if not asked or not limit:
            yield f"{name} is not both requested and limited"
        elif amount(asked.text()) > amount(limit.text()):
            yield f"{name}: {asked.text()} is requested, and {limit.text()} is the limit"


def _of_disk(workload: Workload, container: Node) -> Iterator[str]:
    """A pod whose volumes outgrow its limit is evicted, or killed where they are of memory."""
    for volume in workload.spec["volumes"].each():
        in_memory = volume.at("emptyDir", "medium").text() == "Memory"
        kind = "memory" if in_memory else "ephemeral-storage"
        limit = container.at("resources", "limits", kind)
        size = volume.at("emptyDir", "sizeLimit")
        if volume["emptyDir"] and not size:
            yield f"volume {volume['name'].text()} has no sizeLimit"
        elif size and limit and amount(size.text()) > amount(limit.text()):
            yield f"volume {volume['name'].text()}: {size.text()}, and {limit.text()} is the limit"


def _of_image(image: str) -> Iterator[str]:
    ours = f"morrow:{tomllib.loads(PROJECT.read_text())['project']['version']}"
    if image not in (ours, ours.replace("morrow", "morrow-ray")) and not DIGEST.fullmatch(image):
        yield f"image {image} is neither {ours} nor named by its digest"


def _of_slots(manifests: Manifests, container: Node) -> Iterator[str]:
    """Its width would be the node's cores, were it not told."""
    width = settings_of(manifests, container).workers
    if width is None:
        yield "MORROW_WORKERS is not set, so that it takes the node's cores for its own"
        return
    limits = container.at("resources", "limits")
    if limits["cpu"] and amount(limits["cpu"].text()) < width:
        yield f"{width} children, and {limits['cpu'].text()} cores"
    needed = WORKER_BYTES + width * CHILD_BYTES
    if limits["memory"] and amount(limits["memory"].text()) < needed:
        yield f"{width} children need {needed} bytes, and {limits['memory'].text()} is the limit"
