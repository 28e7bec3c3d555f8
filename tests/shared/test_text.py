"""Text that enters is text, in one spelling."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from shared.text import Name

NAME: TypeAdapter[str] = TypeAdapter(Name)


@pytest.mark.parametrize("bad", ["a\0b", "a\ud800b", "", "   ", "x" * 201, "a\x1bb", "a\x7fb"])
def test_what_is_not_text_is_refused(bad: str) -> None:
    with pytest.raises(ValidationError):
        NAME.validate_python(bad)


def test_twins_that_look_the_same_become_one() -> None:
    composed, decomposed = "Brötchen", unicodedata.normalize("NFD", "Brötchen")
    assert composed != decomposed
    assert NAME.validate_python(decomposed) == NAME.validate_python(composed) == composed


@given(st.text(alphabet=st.characters(codec=None), max_size=220))
def test_what_is_let_in_can_be_stored_and_stays_as_it_is(text: str) -> None:
    try:
        name = NAME.validate_python(text)
    except ValidationError:
        return
    assert name.encode()
    assert "\0" not in name
    assert NAME.validate_python(name) == name


def test_a_name_is_as_long_as_it_is_in_its_one_spelling() -> None:
    with pytest.raises(ValidationError):
        NAME.validate_python("\u0958" * 150)  # 300 characters as it is stored
