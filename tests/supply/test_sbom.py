"""The bill of materials is that of the installation; checked against what is installed here."""

import json
import tomllib
from importlib.metadata import distribution, requires
from pathlib import Path
from typing import Any

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from infrastructure.supply.lock import direct_names, read_lock
from infrastructure.supply.sbom import SbomFault, checked, main, sbom

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "requirements.lock").read_text()
PROJECT = (ROOT / "pyproject.toml").read_text()


@pytest.fixture(scope="module")
def text() -> str:
    return sbom(LOCK, PROJECT)


@pytest.fixture(scope="module")
def bill(text: str) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(text)
    return made


def installed_here() -> dict[str, str]:
    """By the metadata of what is installed: the version of each package that the project needs."""
    left = [(Requirement(each), "") for each in tomllib.loads(PROJECT)["project"]["dependencies"]]
    seen: set[tuple[str, str]] = set()
    while left:
        requirement, extra = left.pop()
        if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        for wanted in ("", *requirement.extras):
            if (name, wanted) not in seen:
                seen.add((name, wanted))
                left += [(Requirement(each), wanted) for each in requires(name) or ()]
    return {name: distribution(name).version for name, _ in seen}


def test_it_names_what_is_installed_here_and_nothing_else_but_what_is_elsewhere(
    bill: dict[str, Any],
) -> None:
    here = {
        part["name"]: part["version"]
        for part in bill["components"]
        if all(Marker(each["value"]).evaluate() for each in part.get("properties", ()))
    }
    assert here == installed_here()


def test_each_part_has_the_hashes_of_the_lock(bill: dict[str, Any]) -> None:
    locked = {(each.name, each.version): set(each.hashes) for each in read_lock(LOCK)}
    for part in bill["components"]:
        (files,) = part["externalReferences"]
        told = {each["content"] for each in files["hashes"]}
        assert told == locked[part["name"], part["version"]]
        assert part["purl"] == f"pkg:pypi/{part['name']}@{part['version']}"


def test_no_tool_is_in_it(bill: dict[str, Any]) -> None:
    assert not {"pytest", "ruff", "mypy", "moto", "pip-audit"} & {
        part["name"] for part in bill["components"]
    }


def test_it_says_who_asks_for_what(bill: dict[str, Any]) -> None:
    asks = {each["ref"]: set(each.get("dependsOn", ())) for each in bill["dependencies"]}
    product = bill["metadata"]["component"]["bom-ref"]
    assert {ref.partition("@")[0] for ref in asks[product]} == direct_names(PROJECT)
    reached, left = set[str](), {product}
    while left:
        reached |= left
        left = {each for ref in left for each in asks[ref]} - reached
    assert reached - {product} == {part["bom-ref"] for part in bill["components"]}


def test_it_is_made_again_to_the_same_bytes(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    assert main([str(tmp_path / "again.json")]) == 0
    assert (tmp_path / "again.json").read_text() == text


def test_it_tells_no_time_and_no_place(text: str, bill: dict[str, Any]) -> None:
    assert "serialNumber" not in bill
    assert "timestamp" not in bill["metadata"]
    assert str(ROOT) not in text


def test_one_that_breaks_the_schema_is_refused(text: str) -> None:
    with pytest.raises(SbomFault):
        checked(text.replace('"version": ', '"versoin": '))
