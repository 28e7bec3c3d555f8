"""Every object is what its kind says: Kubernetes' own schemas, and ours of what others add."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import kubernetes_validate
from jsonschema import Draft202012Validator

from infrastructure.kubernetes.checks.manifests import RAY, Manifests, groups_of, title_of
from infrastructure.kubernetes.checks.node import Node

KUBERNETES = "1.32"
ADDED = Path(__file__).parent / "added"
"""Schemas of kinds that are not Kubernetes' own, as far as they are used here: a file a kind."""


def schemas(manifests: Manifests) -> Iterator[str]:
    """What a server would refuse, unknown fields too."""
    for each in manifests.objects:
        for fault in _faults_of(json.dumps(each.value, sort_keys=True)):
            yield f"{title_of(each)}: {fault}"


@cache
def _faults_of(manifest: str) -> tuple[str, ...]:
    """Kept, for most objects are the same in every overlay, and schemas take long to read."""
    return tuple(_faults(Node(json.loads(manifest))))


def _faults(manifest: Node) -> Iterator[str]:
    ours = ADDED / f"{manifest['kind'].text().lower()}.json"
    if ours.is_file():
        validator = Draft202012Validator(json.loads(ours.read_text()))
        yield from (
            f"{each.json_path}: {each.message}" for each in validator.iter_errors(manifest.value)
        )
        for pods in groups_of(manifest) if manifest["kind"].text() == RAY else ():
            yield from (f"{pods.name}: {fault}" for fault in _of_kubernetes(_pod(pods.pod.value)))
        return
    yield from _of_kubernetes(manifest.value)


def _pod(template: object) -> object:
    """One of a template, which is looked at as the pod that will be made of it."""
    return {"apiVersion": "v1", "kind": "Pod"} | (template if isinstance(template, dict) else {})


def _of_kubernetes(manifest: object) -> Iterator[str]:
    try:
        kubernetes_validate.validate(manifest, KUBERNETES, strict=True)
    except kubernetes_validate.ValidationError as refused:
        yield f"{'.'.join(map(str, refused.path))}: {refused.message}"
    except kubernetes_validate.SchemaNotFoundError as unknown:
        yield unknown.message
