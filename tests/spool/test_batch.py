"""A batch on the disk is whole or it is not read."""

import datetime as dt
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.training.spool.batch import Batch, Damaged, Header

HEADERS = st.builds(
    Header,
    receipt_id=st.uuids(),
    tenant_id=st.uuids(),
    kind=st.sampled_from(["sales", "regressors"]),
    media_type=st.none() | st.text(max_size=60),
    received_at=st.datetimes(timezones=st.just(dt.UTC)),
    rows=st.integers(0, 10**9),
)
BATCHES = st.builds(Batch, HEADERS, st.binary(max_size=2000))
SMALL = Batch(
    Header(
        receipt_id=UUID(int=7),
        tenant_id=UUID(int=9),
        kind="sales",
        media_type="text/csv",
        received_at=dt.datetime(2026, 3, 1, tzinfo=dt.UTC),
        rows=1,
    ),
    b"date,product,quantity\n2026-03-01,rye,5\n",
)


def written(batch: Batch) -> bytes:
    return b"".join(batch.parts())


@given(BATCHES)
def test_what_was_written_is_read(batch: Batch) -> None:
    assert Batch.from_bytes(written(batch)) == batch


def test_cut_short_at_any_byte_it_is_not_read() -> None:
    data = written(SMALL)
    for length in range(len(data)):
        with pytest.raises(Damaged):
            Batch.from_bytes(data[:length])


def test_with_any_bit_turned_it_is_not_read() -> None:
    data = written(SMALL)
    for at in range(len(data)):
        for bit in range(8):
            turned = bytearray(data)
            turned[at] ^= 1 << bit
            with pytest.raises(Damaged):
                Batch.from_bytes(bytes(turned))


@given(BATCHES, st.binary(min_size=1, max_size=50))
def test_with_anything_after_it_it_is_not_read(batch: Batch, more: bytes) -> None:
    with pytest.raises(Damaged):
        Batch.from_bytes(written(batch) + more)


@given(BATCHES, BATCHES, st.data())
def test_half_of_one_and_half_of_another_is_neither(
    one: Batch, other: Batch, data: st.DataObject
) -> None:
    """As blocks of the disk may be mixed by a crash."""
    first, second = written(one), written(other)
    at = data.draw(st.integers(1, min(len(first), len(second)) - 1))
    mixed = first[:at] + second[at:]
    if mixed not in (first, second):
        with pytest.raises(Damaged):
            Batch.from_bytes(mixed)
