"""The image is made from the lock, and from the part of it that the product needs."""

import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from infrastructure.docker.locked import (
    UnknownExtra,
    build_names,
    requirements,
    runtime_names,
)
from infrastructure.supply.lock import read_lock, runtime_part

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "requirements.lock").read_text()
PROJECT = (ROOT / "pyproject.toml").read_text()


def read_by_pip(text: str) -> dict[Requirement, set[str]]:
    """Requirements and their hashes, by pip's own rules for lines that go on."""
    lines = text.replace("\\\n", "").splitlines()
    parts = [line.split(" --hash=sha256:") for line in lines]
    return {Requirement(" ".join(name.split())): {h.strip() for h in rest} for name, *rest in parts}


def test_runtime_is_what_the_bill_of_materials_names_with_all_its_hashes() -> None:
    told = read_by_pip(requirements(runtime_names(PROJECT), LOCK))
    wanted = runtime_part(read_lock(LOCK), PROJECT)
    assert sorted((each.name, str(each.specifier)) for each in told) == sorted(
        (each.name, f"=={each.version}") for each in wanted
    )
    assert sorted(map(sorted, told.values())) == sorted(sorted(each.hashes) for each in wanted)


def test_where_a_package_is_wanted_goes_with_it() -> None:
    markers = {each.marker for each in runtime_part(read_lock(LOCK), PROJECT) if each.marker}
    told = read_by_pip(requirements(runtime_names(PROJECT), LOCK))
    assert {str(Requirement(f"x ; {each}").marker) for each in markers} == {
        str(each.marker) for each in told if each.marker
    }


def test_what_builds_the_wheel_comes_by_hashes_as_well() -> None:
    told = read_by_pip(requirements(build_names(PROJECT), LOCK))
    assert build_names(PROJECT) <= {each.name for each in told}
    assert all(told.values())


def test_an_extra_brings_what_it_needs_and_takes_nothing_away() -> None:
    plain = read_by_pip(requirements(runtime_names(PROJECT), LOCK))
    more = read_by_pip(requirements(runtime_names(PROJECT, ["ray"]), LOCK))
    assert set(map(str, plain)) < set(map(str, more))
    brought = {each.name for each in more} - {each.name for each in plain}
    assert {"ray", "grpcio"} <= brought
    assert brought.isdisjoint({"pytest", "ruff", "mypy"})


def test_an_extra_that_the_project_does_not_have_is_refused() -> None:
    with pytest.raises(UnknownExtra, match="no extra rai: there are dev, ray"):
        runtime_names(PROJECT, ["rai"])


@pytest.mark.parametrize("part", ["runtime", "runtime ray", "build"])
def test_it_needs_nothing_but_python(part: str) -> None:
    bare = [sys.executable, "-I", "-S", "-c", "import sys, runpy; sys.path.insert(0, '.'); "]
    bare[-1] += f"sys.argv[1:] = {part.split()}; "
    bare[-1] += "runpy.run_module('infrastructure.docker.locked', run_name='__main__')"
    told = subprocess.run(bare, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    _, *extras = part.split()
    names = build_names(PROJECT) if part == "build" else runtime_names(PROJECT, extras)
    assert told == requirements(names, LOCK)


def test_another_part_is_refused() -> None:
    asked = [sys.executable, "-m", "infrastructure.docker.locked", "dev"]
    assert subprocess.run(asked, capture_output=True, check=False, cwd=ROOT).returncode == 2
