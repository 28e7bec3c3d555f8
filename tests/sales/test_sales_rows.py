"""What a row of sales must be, and what is said of one that is not."""

import json
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.training.sales.days import day_number
from services.training.sales.media import reader_for
from services.training.sales.sales_rows import check_sales
from shared.errors import Problem
from tests.sales.read_rows import TODAY, check_csv, check_json

GOOD = {"date": "2026-03-01", "product": "rye", "quantity": 5}


def fault_of(row: dict[str, object]) -> tuple[int | None, str | None, str]:
    with pytest.raises(Problem) as caught:
        check_json(GOOD | {"date": "2026-02-01"}, row)
    assert caught.value.status == 422
    assert caught.value.errors is not None
    error = caught.value.errors[0]
    return error.row, error.field, error.code


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"date": "2155-01-01"}, "date", "date_out_of_range"),
        ({"date": "1899-12-31"}, "date", "date_out_of_range"),
        ({"date": "2026-40-01"}, "date", "not_a_date"),
        ({"date": "2026-02-29"}, "date", "not_a_date"),
        ({"date": "20260301"}, "date", "not_a_date"),
        ({"date": "2026-W01-1"}, "date", "not_a_date"),
        ({"date": "01.03.2026"}, "date", "not_a_date"),
        ({"date": "2026-03-01T00:00:00"}, "date", "not_a_date"),
        ({"date": 20260301}, "date", "not_a_date"),
        ({"date": None}, "date", "missing_field"),
        ({"product": None}, "product", "missing_field"),
        ({"product": ""}, "product", "string_too_short"),
        ({"product": "x" * 201}, "product", "string_too_long"),
        ({"product": "a\0b"}, "product", "forbidden_character"),
        ({"product": "\ud800"}, "product", "forbidden_character"),
        ({"product": 7}, "product", "not_text"),
        ({"product": True}, "product", "not_text"),
        ({"product": ["rye"]}, "product", "not_text"),
        ({"location": {"a": 1}}, "location", "not_text"),
        ({"quantity": "5"}, "quantity", "not_a_number"),
        ({"quantity": True}, "quantity", "not_a_number"),
        ({"quantity": [1]}, "quantity", "not_a_number"),
        ({"quantity": float("nan")}, "quantity", "not_finite"),
        ({"quantity": float("-inf")}, "quantity", "not_finite"),
        ({"quantity": 10**400}, "quantity", "not_finite"),
        ({"quantity": -1.1e12}, "quantity", "too_large"),
        ({"price": -0.01}, "price", "negative"),
        ({"promotion": -1}, "promotion", "negative"),
        ({"stockout": 2}, "stockout", "not_a_flag"),
        ({"open": "yes"}, "open", "not_a_flag"),
        ({"temperature": "mild"}, "temperature", "not_a_number"),
        ({"date": "2026-03-12"}, "quantity", "future_date"),
    ],
)
def test_a_wrong_cell_is_named_by_row_field_and_reason(
    change: dict[str, object], field: str, code: str
) -> None:
    assert fault_of(GOOD | change) == (2, field, code)


def test_a_quantity_may_be_left_out_only_where_it_is_unknown_by_nature() -> None:
    bare = {"date": "2026-03-01", "product": "rye"}
    assert fault_of(bare) == (2, "quantity", "missing_field")
    assert np.isnan(check_json(bare | {"open": 0}).quantity).all()
    assert np.isnan(check_json(bare | {"date": "2026-03-11"}).quantity).all()
    assert np.isnan(check_json(bare | {"quantity": None}).quantity).all()


def test_what_was_sold_can_be_of_tomorrow_at_the_latest() -> None:
    tomorrow = {"date": (TODAY + timedelta(days=1)).isoformat()}
    assert check_json(GOOD | tomorrow).quantity.tolist() == [5.0]


def test_a_return_is_a_sale_below_zero() -> None:
    assert check_json(GOOD | {"quantity": -3}).quantity.tolist() == [-3.0]


def test_of_a_closed_day_the_quantity_is_unknown_whatever_was_sent() -> None:
    rows = check_json(GOOD | {"open": 0}, GOOD | {"open": 0, "date": "2026-04-01"})
    assert np.isnan(rows.quantity).all()
    assert rows.open.tolist() == [0, 0]


def test_names_are_one_where_they_look_the_same() -> None:
    rows = check_json(
        GOOD | {"product": "Brötchen"},
        GOOD | {"product": " Bro\u0308tchen ", "date": "2026-03-02", "location": "main"},
    )
    assert rows.keys.places == [("main", "Brötchen")]


def test_rows_come_in_order_of_place_and_day_with_their_values() -> None:
    rows = check_csv(
        "date,location,product,quantity,price,promotion,stockout,open,rain\n"
        "2026-03-02,b,rye,2,1.5,0,1,true,0.5\n"
        "2026-03-01,b,rye,1,,,,,\n"
        "2026-03-01,a,rye,3,1,0.3,FALSE,1,-1e-3\n"
    )
    named = [rows.keys.places[place] for place in rows.keys.place]
    order = list(zip(rows.keys.place.tolist(), rows.keys.day.tolist(), strict=True))
    assert order == sorted(order)
    found = {
        (*name, int(day)): quantity
        for name, day, quantity in zip(named, rows.keys.day, rows.quantity, strict=True)
    }
    first, second = day_number(date(2026, 3, 1)), day_number(date(2026, 3, 2))
    assert found == {("a", "rye", first): 3, ("b", "rye", first): 1, ("b", "rye", second): 2}
    assert sorted(rows.regressors["rain"][~np.isnan(rows.regressors["rain"])]) == [-1e-3, 0.5]


def test_a_row_sent_twice_counts_once_and_one_that_contradicts_is_refused() -> None:
    rows = check_json(GOOD, GOOD, GOOD | {"location": "main"})
    assert (rows.received, len(rows.quantity)) == (3, 1)
    with pytest.raises(Problem) as caught:
        check_json(GOOD, GOOD | {"date": "2026-03-02"}, GOOD | {"price": 2})
    (error,) = caught.value.errors or []
    assert (error.row, error.field, error.code) == (3, "price", "duplicate_row")
    assert "row 1" in error.message


def test_at_most_a_hundred_faults_are_told_and_all_are_counted() -> None:
    with pytest.raises(Problem) as caught:
        check_json(*[GOOD | {"quantity": "x", "price": -1}] * 80)
    assert len(caught.value.errors or []) == 100
    assert caught.value.detail.startswith("160 faults")
    assert [error.row for error in caught.value.errors or []] == sorted([*range(1, 51)] * 2)


@pytest.mark.parametrize("name", ["", "2nd", "a b", "a;drop", "x" * 65, "é", "a\n"])
def test_a_column_that_cannot_name_a_regressor_is_refused(name: str) -> None:
    with pytest.raises(Problem) as caught:
        check_json(GOOD | {name: 1})
    assert (caught.value.errors or [])[0].code == "invalid_column_name"


def test_parquet_keeps_its_types() -> None:
    table = pa.table(
        {
            "date": pa.array([date(2026, 3, 1), date(2026, 3, 2)]),
            "product": pa.array(["rye", "rye"]).dictionary_encode(),
            "quantity": pa.array([3, None], pa.int16()),
            "open": pa.array([True, False]),
            "rain": pa.array([1, 2]).cast(pa.decimal128(21, 1)),
        }
    )
    sink = pa.BufferOutputStream()
    pa.parquet.write_table(table, sink)
    rows = check_sales(
        reader_for("application/vnd.apache.parquet")(sink.getvalue().to_pybytes()), TODAY
    )
    assert rows.quantity.tolist()[0] == 3.0
    assert rows.open.tolist() == [1, 0]
    assert rows.regressors["rain"].tolist() == [1.0, 2.0]


cells = st.one_of(
    st.floats(-1e12, 1e12).map(repr),
    st.integers(-(10**6), 10**6).map(str),
    st.sampled_from(["", " 7 ", "+3", "nan", "inf", "1_0", "0x1", "1,5", "abc", "--1", ".", "1e3"]),
)


@given(st.lists(cells, min_size=1, max_size=20))
def test_csv_numbers_are_read_as_python_reads_them_or_refused(cells: list[str]) -> None:
    def oracle(cell: str) -> float | str | None:
        stripped = cell.strip()
        if not stripped:
            return None
        if not set(stripped) <= set("0123456789.eE+-"):
            return "wrong"
        try:
            return float(stripped)
        except ValueError:
            return "wrong"

    lines = [
        f'{date(2020, 1, 1) + timedelta(days=at)},rye,"{cell}"' for at, cell in enumerate(cells)
    ]
    wanted = [oracle(cell) for cell in cells]
    text = "date,product,quantity\n" + "\n".join(lines)
    wrong = [row for row, value in enumerate(wanted, 1) if value == "wrong"]
    if wrong:
        with pytest.raises(Problem) as caught:
            check_csv(text)
        assert [error.row for error in caught.value.errors or []] == wrong
    else:
        found = [None if np.isnan(value) else value for value in check_csv(text).quantity]
        assert found == wanted


def test_every_medium_says_the_same() -> None:
    rows = [GOOD | {"date": f"2026-02-{day:02}", "quantity": day / 4} for day in range(1, 20)]
    by_json = check_json(*rows)
    lines = "\n".join(json.dumps(row) for row in rows)
    by_lines = check_sales(reader_for("application/x-ndjson; charset=utf-8")(lines.encode()), TODAY)
    by_csv = check_csv(
        "quantity,product,date\r\n"
        + "\r\n".join(f"{row['quantity']},{row['product']},{row['date']}" for row in rows)
    )
    for other in (by_lines, by_csv):
        assert other.keys.places == by_json.keys.places
        assert other.keys.day.tolist() == by_json.keys.day.tolist()
        assert other.quantity.tolist() == by_json.quantity.tolist()
