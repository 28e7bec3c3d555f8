"""Small pictures."""

from services.training.commands.plot import STEPS, bar, sparkline


def test_a_sparkline_rises_with_its_values_and_dots_the_unknown() -> None:
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7]) == STEPS
    assert sparkline([None, 3.0, None]) == "·█·"
    assert sparkline([1.0, 1.0], top=100) == "▁▁"
    assert sparkline([0.0, 0.0]) == "▁▁"
    assert sparkline([]) == ""


def test_a_bar_is_in_proportion() -> None:
    assert len(bar(5, 10, 30)) == 15
    assert len(bar(10, 10, 30)) == 30
    assert bar(0, 0, 30) == ""
