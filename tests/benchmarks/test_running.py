"""The benchmarks as they are called: by name, and where their data is not there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.accuracy.protocol import Case, DataSet
from benchmarks.autoets_speed import DAYS, TooShort, middle_series
from services.training.demand.classification import DemandClass
from tests.demand.made_series import series_of

ROOT = Path(__file__).resolve().parents[2]


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


@pytest.fixture
def without_data(tmp_path: Path) -> Path:
    """A copy of the benchmarks beside which there is no data."""
    copy = tmp_path / "elsewhere" / "morrow"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "benchmarks", copy / "benchmarks", ignore=ignored)
    return copy


def test_an_unknown_benchmark_is_refused_with_the_names_that_there_are() -> None:
    refused = run(ROOT, "benchmarks", "fit_sped")
    assert refused.returncode == 2
    assert "no benchmark fit_sped" in refused.stderr
    assert "fit_speed" in refused.stderr


def test_accuracy_says_what_it_lacks(without_data: Path) -> None:
    ended = run(without_data, "benchmarks.accuracy", "--json")
    assert ended.returncode == 0, ended.stderr
    assert "no peers' scores" in json.loads(ended.stdout)["skipped"]


def test_the_main_job_says_which_tenants_are_not_there(without_data: Path) -> None:
    ended = run(without_data, "benchmarks.main_job", "kiel_bakery")
    assert ended.returncode == 0, ended.stderr
    printed = json.loads(ended.stdout)
    assert printed["sets"] == {}
    assert "not here" in printed["skipped"]["kiel_bakery"]


def data_of(*lengths_and_levels: tuple[int, float]) -> DataSet:
    cases = tuple(
        Case("a", series_of([level] * days, horizon=14), np.zeros(14), np.ones(14, dtype=bool), 1.0,
             DemandClass.SMOOTH)
        for days, level in lengths_and_levels
    )  # fmt: skip
    return DataSet("made", len(cases), (cases,))


def test_autoets_is_timed_on_two_years_of_the_product_of_middle_volume() -> None:
    found = middle_series(data_of((800, 9.0), (900, 2.0), (740, 5.0), (100, 4.0)))
    assert len(found.history) == DAYS
    assert found.history["quantity"].unique().tolist() == [5.0]


def test_a_set_without_two_years_of_any_product_is_left_out_by_name() -> None:
    with pytest.raises(TooShort, match="730 days"):
        middle_series(data_of((729, 9.0)))
