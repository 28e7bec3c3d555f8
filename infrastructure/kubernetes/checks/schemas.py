"""Every object is what its kind says: Kubernetes' own schemas, and ours of what others add."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import kubernetes_validate
from jsonschema import Draft202012Validator

from infrastructure.kubernetes.checks.manifests import Manifests, title_of
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
        return
    try:
        kubernetes_validate.validate(manifest.value, KUBERNETES, strict=True)
    except kubernetes_validate.ValidationError as refused:
        yield f"{'.'.join(map(str, refused.path))}: {refused.message}"
    except kubernetes_validate.SchemaNotFoundError as unknown:
        yield unknown.message
