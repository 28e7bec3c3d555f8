"""Equal values have equal bytes, and what JSON cannot hold is refused."""

import gzip
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.canonical import (
    NotCanonical,
    canonical_json,
    digest_of_json,
    gzipped,
    sha256_of,
    without_nan,
)

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("abc"), inner),
)  # fmt: skip


@given(VALUES)
def test_a_value_comes_back(value: object) -> None:
    assert json.loads(canonical_json(value)) == value
    assert json.loads(gzip.decompress(gzipped(canonical_json(value)))) == value


@given(st.dictionaries(st.text("abcäß"), st.integers()))
def test_the_order_in_which_keys_were_set_does_not_matter(value: dict[str, int]) -> None:
    turned = dict(reversed(value.items()))

    assert digest_of_json(turned) == digest_of_json(value)


def test_the_spelling_is_fixed() -> None:
    assert (
        canonical_json({"b": [1, 0.5], "a": "Brötchen"}) == '{"a":"Brötchen","b":[1,0.5]}'.encode()
    )
    assert sha256_of(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_compression_keeps_no_time_and_no_name() -> None:
    header = gzipped(b"data")[:10]

    assert header[3] == 0  # no flags: no file name
    assert header[4:8] == b"\0\0\0\0"  # no modification time
    assert header[9] == 255  # no operating system


@pytest.mark.parametrize("value", [math.nan, math.inf, {"a": [-math.inf]}, object(), "\ud800"])
def test_what_json_cannot_hold_is_refused(value: object) -> None:
    with pytest.raises(NotCanonical):
        canonical_json(value)


def test_unknown_numbers_become_null_everywhere() -> None:
    value = {"a": [math.nan, 1.5, (math.inf, "x")], "b": {"c": -math.inf, "d": None, "e": True}}

    assert without_nan(value) == {
        "a": [None, 1.5, [None, "x"]],
        "b": {"c": None, "d": None, "e": True},
    }
