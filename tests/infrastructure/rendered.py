"""The overlays as kustomize renders them, and copies of them with a fault planted."""

from copy import deepcopy
from functools import cache

import pytest

from infrastructure.kubernetes.checks.manifests import Manifests, name_of
from infrastructure.kubernetes.checks.node import Node
from infrastructure.kubernetes.checks.rendering import OVERLAYS, render, renderers

NAMES = sorted(each.name for each in OVERLAYS.iterdir())
GONE = object()
Path = tuple[str | int, ...]


@cache
def rendered(overlay: str) -> Manifests:
    """`make lint` fails without kustomize; a test cannot be run."""
    if not renderers():
        pytest.skip("neither kubectl nor kustomize is here")
    return render(OVERLAYS / overlay, renderers())


def planted(manifests: Manifests, kind: str, name: str, path: Path, value: object) -> Manifests:
    """A copy in which one object has `value` at `path`, or nothing there if it is `GONE`."""
    objects = deepcopy([each.value for each in manifests.objects])
    [found] = [each for each in objects if (kind, name) == (Node(each)["kind"].text(), _name(each))]
    *above, last = path
    place = found
    for step in above:
        place = place.setdefault(step, {}) if isinstance(place, dict) else place[step]
    if value is GONE:
        del place[last]
    elif isinstance(place, list) and last == len(place):
        place.append(value)
    else:
        place[last] = value
    return Manifests(tuple(map(Node, objects)))


def without(manifests: Manifests, kind: str, name: str) -> Manifests:
    kept = [e for e in manifests.objects if (e["kind"].text(), _name(e.value)) != (kind, name)]
    assert len(kept) == len(manifests.objects) - 1
    return Manifests(tuple(kept))


def _name(value: object) -> str:
    """Without the digest that a generated ConfigMap's has."""
    name = name_of(Node(value))
    return name.partition("-")[0] if name.startswith("settings-") else name
