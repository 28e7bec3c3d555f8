"""Numbers, flags, days and instants are never read as one another."""

import datetime as dt
from typing import Annotated, Any

import pytest
from pydantic import Field, TypeAdapter, ValidationError

from shared.scalars import Day, Flag, Instant, Integer, Moment, Number

OTHERS: dict[Any, list[object]] = {
    Integer: [True, "1", 1.5, None, "2026-01-01"],
    Number: [True, "1", None, float("nan"), float("inf"), 10**400],
    Flag: [0, 1, 1.0, "true", "yes", None],
    Day: [0, 0.0, "0", "20260101", "2026-1-1", "2026-01-01T00:00:00", "2026-02-30", "0000-01-01"],
    Moment: [0, "0", "0.5", "now", 1.5, None],
    Instant: [0, "0", "2026-01-01", "2026-01-01T00:00:00", "2026-13-01T00:00:00Z", "now"],
}


@pytest.mark.parametrize(("kind", "value"), [(k, v) for k, vs in OTHERS.items() for v in vs])
def test_what_is_of_another_kind_is_refused(kind: Any, value: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(kind).validate_python(value)


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_an_instant_that_has_none_in_utc_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="out_of_range"):
        TypeAdapter(Instant).validate_python(text)


def test_instants_are_told_in_utc() -> None:
    instant = TypeAdapter(Instant).validate_python("2026-03-29T02:30:00+14:00")
    assert instant == dt.datetime(2026, 3, 28, 12, 30, tzinfo=dt.UTC)
    assert instant.tzinfo is dt.UTC


def test_bounds_stay_in_the_document() -> None:
    few = TypeAdapter(Annotated[Integer, Field(ge=1, le=7)])
    assert few.json_schema() == {"type": "integer", "minimum": 1, "maximum": 7}
