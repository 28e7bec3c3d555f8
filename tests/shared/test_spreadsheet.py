"""What a spreadsheet would compute comes with an apostrophe."""

import pytest

from shared.spreadsheet import inert


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1"])
def test_a_formula_is_text(text: str) -> None:
    assert inert(text) == f"'{text}"


@pytest.mark.parametrize("text", ["Brötchen", "", "a=1", "1-2", "'=1"])
def test_other_text_stays(text: str) -> None:
    assert inert(text) == text
