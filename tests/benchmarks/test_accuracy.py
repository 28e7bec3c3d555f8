"""The accuracy benchmark keeps to its protocol, and repeats what peers have published by it."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from benchmarks.accuracy.measure import Result, measure_on
from benchmarks.accuracy.origins import read_data_set
from benchmarks.accuracy.plot import draw
from benchmarks.accuracy.protocol import HORIZON, LONGEST_TRAINING, Case, DataSet
from benchmarks.accuracy.published import PeersAbsent, Published, read_published
from benchmarks.accuracy.report import Json, report_of
from benchmarks.accuracy.scores import score
from benchmarks.accuracy.tables import coverage_table, data_set_table, summary_table
from benchmarks.real_data import DataSetAbsent
from services.training.demand.classification import DemandClass
from services.training.demand.prediction import LEVELS, Prediction
from tests.demand.made_series import series_of


def real(name: str) -> DataSet:
    try:
        return read_data_set(name)
    except DataSetAbsent as absent:
        pytest.skip(str(absent))


def published() -> Published:
    try:
        return read_published()
    except PeersAbsent as absent:
        pytest.skip(str(absent))


@pytest.mark.parametrize("method", ["snaive7", "dow4"])
@pytest.mark.parametrize("data_set", ["kiel_bakery", "yaz_restaurant", "rossmann"])
def test_the_naive_methods_repeat_their_published_points(data_set: str, method: str) -> None:
    peers, result = published(), measure_on(real(data_set), method)
    scores = result.scores
    found = {"WAPE": scores.wape, "MASE": scores.mase, "bias": scores.bias}
    expected = {metric: peers.value(data_set, method, metric) for metric in found}
    assert found == pytest.approx(expected, abs=1e-9)
    # Their quantiles are not spelt out by the protocol, and differ a little.
    assert scores.wql == pytest.approx(peers.value(data_set, method, "WQL"), rel=0.08)


def test_a_case_knows_nothing_of_its_future_but_what_was_known_in_advance() -> None:
    for cases in real("kiel_bakery").origins:
        for case in cases:
            plan = case.series.plan
            assert len(plan) == HORIZON
            assert len(case.series.history) <= LONGEST_TRAINING
            assert plan["temp_mean_c"].isna().all()
            assert plan["cruise_ships"].notna().all()
            assert "quantity" not in plan
            assert (case.scored == plan["open"]).all()


def test_the_origins_are_a_fortnight_apart_and_end_one_before_the_last_day() -> None:
    ends = [cases[0].series.data_through for cases in real("yaz_restaurant").origins]
    assert np.diff(ends).astype("timedelta64[D]").astype(int).tolist() == [14, 14, 14]
    assert ends[-1] == pd.Timestamp("2015-11-07") - pd.Timedelta(days=14)


def case_of(actual: list[float], scored: list[bool], name: str = "a") -> Case:
    series = series_of([4.0, 5.0] * 20, horizon=len(actual))
    return Case(name, series, np.array(actual), np.array(scored), 2.0, DemandClass.SMOOTH)


def flat(mean: float, days: int) -> Prediction:
    return Prediction(np.full(days, mean), np.full((days, len(LEVELS)), mean))


def test_scores_are_those_of_the_formulas_over_the_scored_days() -> None:
    scores = score([case_of([8.0, 12.0, 99.0], [True, True, False])], [flat(9.0, 3)])
    assert scores.wape == pytest.approx(4.0 / 20.0)
    assert scores.bias == pytest.approx(-2.0 / 20.0)
    assert scores.mase == pytest.approx(2.0 / 2.0)
    # A point forecast's quantile loss averages to its absolute error over symmetric levels.
    assert scores.wql == pytest.approx(4.0 / 20.0)
    assert scores.coverage80 == 0.0
    assert scores.inside_by_class == {"smooth": (2, 0)}


def test_the_standard_error_is_nil_where_all_series_miss_by_the_same_share() -> None:
    cases = [case_of([10.0], [True], "a"), case_of([20.0], [True], "b")]
    alike = score(cases, [flat(9.0, 1), flat(18.0, 1)])
    assert alike.wape_error == pytest.approx(0.0, abs=1e-12)
    unlike = score(cases, [flat(9.0, 1), flat(20.0, 1)])
    assert unlike.wape_error > 0.01


def test_the_best_single_peer_is_no_combination_and_knows_no_future() -> None:
    rows = [("b", "c_mix", 0.1), ("b", "x_oracle_weather", 0.2), ("b", "ets", 0.3), ("b", "q", 0.4)]
    table = pd.DataFrame(rows, columns=["dataset", "method", "value"]).assign(
        metric="WQL", n_series=3
    )
    assert Published(table).best_single("b", "WQL") == ("ets", 0.3)


def report_on_two_sets(*methods: str) -> Json:
    """A method misses one of ten on set a, four of ten on b; each further one half of that."""
    values = {"ets": 0.1, "prophet": 0.2, "dow4": 0.4}
    table = pd.DataFrame(
        [(data, name, metric, value, 1) for data in "ab" for metric in ("WQL", "WAPE")
         for name, value in values.items()],
        columns=["dataset", "method", "metric", "value", "n_series"],
    )  # fmt: skip
    results = [
        Result(data, method, 1, score([case_of([10.0], [True])], [flat(10.0 - miss, 1)]), 0.5)
        for halvings, method in enumerate(methods)
        for data, miss in (("a", 1.0 / 2**halvings), ("b", 4.0 / 2**halvings))
    ]
    return report_of(results, Published(table))


def test_the_report_gives_geometric_means_and_ratios_over_data_sets() -> None:
    report = report_on_two_sets("pooled")["methods"]["pooled"]
    means = report["geometric_means"]["WAPE"]
    assert means["score"] == pytest.approx(0.2)
    assert means["to_best_single_peer"] == pytest.approx(2.0)
    assert means["largest_to_best_single_peer"] == pytest.approx(4.0)
    assert means["worst_to_best_single_peer"] == "b"
    assert means["to_default_prophet"] == pytest.approx(1.0)
    assert report["coverage80_by_demand_class"]["smooth"] == {"cov80": 0.0, "days": 2}


def test_ours_is_also_held_against_the_peers_of_the_same_run() -> None:
    methods = report_on_two_sets("dow4", "engine", "default_prophet")["methods"]
    found = methods["engine"]["to_best_single_peer_of_this_run"]["WAPE"]
    assert found == {"mean": pytest.approx(2.0), "largest": pytest.approx(2.0), "data_sets": 2}
    assert "to_best_single_peer_of_this_run" not in methods["dow4"]


def test_the_report_is_shown_as_tables_of_every_data_set_and_method() -> None:
    report = report_on_two_sets("dow4", "engine")
    screen = Console(width=150, record=True, file=io.StringIO())
    for table in (data_set_table(report), summary_table(report), coverage_table(report)):
        screen.print(table)
    shown = screen.export_text()
    assert data_set_table(report).row_count == 4
    assert "0.100" in shown
    assert "2.000 b" in shown


@pytest.mark.parametrize("ending", ["svg", "png"])
def test_the_report_is_drawn_as_the_files_ending_says(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"accuracy.{ending}"
    draw(report_on_two_sets("dow4", "engine"), path)
    begins = {"svg": b"<?xml", "png": b"\x89PNG"}
    assert path.read_bytes().startswith(begins[ending])
