"""Figures are held against their targets, and what was not measured is not called met."""

from __future__ import annotations

import pytest

from benchmarks.targets import TARGETS, Target, Verdict, markdown_of, table_of, verdicts


@pytest.mark.parametrize(
    ("figure", "met"), [(0.75, False), (0.76, True), (0.84, True), (0.85, False)]
)
def test_a_target_holds_up_to_both_of_its_limits(figure: float, met: bool) -> None:
    assert Target("coverage", ("a",), least=0.76, most=0.84).is_met(figure) is met


def verdict_on(what: str, results: dict[str, object]) -> Verdict:
    return next(one for one in verdicts(results) if one.what == what)


def test_a_verdict_is_on_the_figure_at_the_end_of_its_path() -> None:
    what = "cold start of a worker until its first fit, s"
    slow = verdict_on(what, {"cold_start": {"median_s": {"first_fit": 5.5}}})
    assert (slow.measured, slow.met, slow.limit) == (5.5, False, "<= 5")
    quick = verdict_on(what, {"cold_start": {"median_s": {"first_fit": 5}}})
    assert quick.met is True


@pytest.mark.parametrize(
    "results",
    [{}, {"cold_start": {"failed": 1}}, {"cold_start": {"median_s": {"first_fit": None}}}],
)
def test_what_was_not_measured_is_neither_met_nor_missed(results: dict[str, object]) -> None:
    assert verdict_on("cold start of a worker until its first fit, s", results).met is None


def test_every_target_has_a_name_and_a_path_of_its_own() -> None:
    assert len({target.what for target in TARGETS}) == len(TARGETS)
    assert len({target.path for target in TARGETS}) == len(TARGETS)
    assert table_of(verdicts({})).row_count == len(TARGETS)


def test_the_table_for_documents_says_what_was_missed() -> None:
    results = {"child_memory": {"peak_rss": 150.2, "further_child_pss": 92.3}}
    lines = markdown_of(verdicts(results)).splitlines()
    assert "| peak RSS of a training child, MiB | <= 200 | 150.2 | met |" in lines
    assert "| PSS that a further child adds, MiB | <= 80 | 92.3 | **missed** |" in lines
    assert len(lines) == len(TARGETS) + 2
