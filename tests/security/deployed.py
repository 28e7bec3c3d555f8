"""Secrets that files of a deployment set: compose files, manifests, images, environments."""

import re
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

import yaml

from shared.redaction import IS_SENSITIVE

DEPLOYING = re.compile(
    r"(?i).*\.ya?ml|dockerfile.*|.*\.dockerfile|(?:.*\.)?env(?:\..*)?|.*\.tfvars"
)
GIVEN_BY_OTHERS = re.compile(r"|\$\w+|\$\(\w+\)|\$\{\w+(?::?\?[^}]*)?\}|\{\{.*\}\}")
"""Nothing, or what the one who deploys must set: `${NAME}`, `${NAME:?why}`. Not `${NAME:-this}`."""
ADDRESS_WITH_PASSWORD = re.compile(r"://[^\s/@:]*:(?!\$[{(]?\w+(?::?\?[^}@]*)?[)}]?@)[^\s@]+@")
LINE = re.compile(r"(?m)^\s*(?:ENV|ARG|export)?\s*(\w+)[=\s]\s*[\"']?([^\s\"']*)")


def default_secrets(name: str, text: str) -> list[str]:
    """Each secret that the file `name` sets to a value of its own."""
    if not DEPLOYING.fullmatch(PurePath(name).name):
        return []
    is_yaml = PurePath(name).suffix in {".yml", ".yaml"}
    pairs = list(_pairs_of_yaml(text) if is_yaml else LINE.findall(text))
    return [
        f"{name}: {key}"
        for key, value in pairs
        if (IS_SENSITIVE.fullmatch(key) and not GIVEN_BY_OTHERS.fullmatch(value))
        or ADDRESS_WITH_PASSWORD.search(value)
    ]


def _pairs_of_yaml(text: str) -> Iterator[tuple[str, str]]:
    for document in yaml.safe_load_all(text):
        if isinstance(document, dict) and document.get("kind") == "Secret":
            for part in ("data", "stringData"):
                for value in (document.get(part) or {}).values():
                    yield "secret", str(value or "")
        yield from _pairs(document)


def _pairs(node: Any) -> Iterator[tuple[str, str]]:
    if isinstance(node, list):
        for item in node:
            if isinstance(item, str) and "=" in item:
                name, _, value = item.partition("=")
                yield name, value
            yield from _pairs(item)
    if isinstance(node, dict):
        if isinstance(node.get("name"), str) and isinstance(node.get("value"), str):
            yield node["name"], node["value"]
        for name, value in node.items():
            if isinstance(value, str | int):
                yield str(name), str(value)
            yield from _pairs(value)
