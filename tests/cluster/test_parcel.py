"""What crosses the network is what was sent, or is refused."""

import os
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.training.cluster.parcel import (
    BESIDE_BYTES,
    Errand,
    Parcel,
    ParcelDamaged,
    pack,
    pack_whole,
    run_errand,
    unpack,
    unpack_whole,
)

LARGE = os.urandom(BESIDE_BYTES)


def doubled(number: int, report: Any) -> int:
    report("half way")
    return 2 * number


@given(st.recursive(st.integers() | st.text() | st.binary(), st.lists, max_leaves=8))
def test_what_was_packed_is_unpacked(value: object) -> None:
    assert unpack(pack(value)) == value == unpack_whole(pack_whole(value))


def test_large_pieces_travel_beside_once_each() -> None:
    errand = pack([LARGE, b"small", LARGE])
    assert list(errand.beside.values()) == [LARGE]
    assert errand.parcel.beside == tuple(errand.beside)
    assert len(errand.parcel.content) < 1000
    assert unpack(errand) == [LARGE, b"small", LARGE]


@pytest.mark.parametrize("place", [0, 10, -1])
def test_a_damaged_parcel_is_refused_before_it_is_read(place: int) -> None:
    parcel = pack_whole({"quantity": 3})
    with pytest.raises(ParcelDamaged) as caught:
        unpack_whole(replace(parcel, content=damaged(parcel.content, place)))
    assert caught.value.code == "parcel_damaged"


def test_a_damaged_piece_beside_is_refused() -> None:
    errand = pack(LARGE)
    [name] = errand.beside
    with pytest.raises(ParcelDamaged):
        unpack(Errand(errand.parcel, {name: damaged(LARGE, 5)}))


def test_a_child_does_nothing_of_a_damaged_errand() -> None:
    parcel = pack((doubled, 21)).parcel
    said: list[Parcel] = []
    with pytest.raises(ParcelDamaged):
        run_errand(Errand(replace(parcel, content=damaged(parcel.content, 3)), {}), said.append)
    assert said == []


def test_a_child_answers_and_reports_in_parcels() -> None:
    said: list[Parcel] = []
    assert unpack_whole(run_errand(pack((doubled, 21)), said.append)) == 42
    assert [unpack_whole(parcel) for parcel in said] == ["half way"]


def damaged(content: bytes, place: int) -> bytes:
    changed = bytearray(content)
    changed[place] ^= 1
    return bytes(changed)
