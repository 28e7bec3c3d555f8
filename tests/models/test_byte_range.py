"""A range is what RFC 9110 says it is, and nothing else is one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.training.models.byte_range import requested_range
from shared.errors import Problem


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("bytes=0-3", range(4)),
        ("bytes=3-", range(3, 10)),
        ("bytes=-4", range(6, 10)),
        ("bytes=-400", range(10)),
        ("bytes=9-9", range(9, 10)),
        ("bytes=2-400", range(2, 10)),
        ("Bytes = 1-2", range(1, 3)),
        (None, None),
        ("", None),
        ("bytes=-", None),
        ("bytes=5-2", None),
        ("bytes=a-b", None),
        ("lines=0-1", None),
        ("bytes=0-1,4-5", None),
        ("bytes=٣-٤", None),
        ("bytes=" + "9" * 5000 + "-", None),
    ],
)
def test_one_range_of_ten_bytes(field: str | None, expected: range | None) -> None:
    assert requested_range(field, 10) == expected


@pytest.mark.parametrize(("field", "size"), [("bytes=10-", 10), ("bytes=-0", 10), ("bytes=0-", 0)])
def test_a_range_without_a_byte_names_the_size(field: str, size: int) -> None:
    with pytest.raises(Problem) as refused:
        requested_range(field, size)

    assert refused.value.status == 416
    assert refused.value.headers == {"Content-Range": f"bytes */{size}"}


@given(st.integers(0, 30), st.integers(0, 30), st.integers(1, 20))
def test_a_range_is_what_slicing_gives(first: int, last: int, size: int) -> None:
    data = bytes(range(size))
    if first >= size:
        with pytest.raises(Problem):
            requested_range(f"bytes={first}-{max(first, last)}", size)
    elif last >= first:
        found = requested_range(f"bytes={first}-{last}", size)
        assert found is not None
        assert bytes(data[position] for position in found) == data[first : last + 1]
