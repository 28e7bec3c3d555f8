"""Arrays through PostgreSQL's own binary format and back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.training.sales.binary_copy import decode_rows, encode_rows

KINDS = {"small": np.int16, "date": np.int32, "big": np.int64, "double": np.float64}
rows = st.lists(
    st.tuples(
        st.integers(-(2**15), 2**15 - 1),
        st.integers(-(2**31), 2**31 - 1),
        st.integers(-(2**63), 2**63 - 1),
        st.floats(),
    ),
    max_size=20,
)


@given(rows)
def test_what_is_encoded_is_decoded(rows: list[tuple[int, int, int, float]]) -> None:
    columns = {
        name: np.array([row[at] for row in rows], dtype=kind)
        for at, (name, kind) in enumerate(KINDS.items())
    }
    decoded = decode_rows(b"".join(encode_rows(columns)), KINDS)
    for name, values in columns.items():
        np.testing.assert_array_equal(decoded[name], values)


def test_a_null_or_another_type_is_not_decoded() -> None:
    columns = {"a": np.array([1], dtype=np.int64), "b": np.array([1], dtype=np.int32)}
    data = b"".join(encode_rows(columns))
    with pytest.raises(ValueError, match="column 'a'"):
        decode_rows(data, {"a": np.int32, "b": np.int64})
