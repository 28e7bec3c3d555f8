"""The sample bakery in the shapes of the API: every row is kept, and nothing is made up."""

import io
import json
from datetime import date

import pandas as pd
import pytest

from services.training.sample.api_shapes import (
    event_bodies,
    product_bodies,
    regressor_rows,
    sales_csv,
)
from services.training.sample.bakery import Bakery, generate_bakery


@pytest.fixture(scope="module")
def bakery() -> Bakery:
    return generate_bakery(3, date(2024, 5, 1), 120, planned_days=21)


def test_the_same_seed_gives_the_same_bytes(bakery: Bakery) -> None:
    again = generate_bakery(3, date(2024, 5, 1), 120, planned_days=21)
    assert sales_csv(bakery) == sales_csv(again)
    assert json.dumps(regressor_rows(bakery)) == json.dumps(regressor_rows(again))
    assert product_bodies(bakery) == product_bodies(again)


def test_the_csv_has_the_columns_of_the_api_and_every_row(bakery: Bakery) -> None:
    read = pd.read_csv(io.BytesIO(sales_csv(bakery)), parse_dates=["date"])
    assert list(read.columns) == [
        "date", "product", "location", "quantity", "price", "promotion", "stockout", "open",
    ]  # fmt: skip
    same = bakery.sales.astype(read.dtypes.to_dict())
    pd.testing.assert_frame_equal(read, same, check_exact=True)


def test_quantities_are_written_as_whole_numbers_and_closed_days_empty(bakery: Bakery) -> None:
    lines = sales_csv(bakery).decode().splitlines()[1:]
    fields = [line.split(",") for line in lines]
    assert all(row[3] == "" or row[3].isdigit() for row in fields)
    assert any(row[7] == "0" for row in fields)
    assert all(row[3] == "" for row in fields if row[7] == "0")


def test_a_regressor_row_leaves_out_what_is_not_known(bakery: Bakery) -> None:
    rows = regressor_rows(bakery)
    assert len(rows) == 141
    assert rows[0].keys() == {"date", "temperature", "precipitation", "school_holiday"}
    assert rows[-1].keys() == {"date", "school_holiday"}
    assert rows[-1]["date"] == "2024-09-18"
    assert json.loads(json.dumps(rows, allow_nan=False)) == rows


def test_product_bodies_carry_the_trade_data_without_the_identifier(bakery: Bakery) -> None:
    bodies = product_bodies(bakery)
    assert len(bodies) == 14
    assert bodies["pretzel"] == {
        "name": "Laugenbrezel",
        "category": "rolls",
        "unit": "piece",
        "price": 0.95,
        "unit_cost": 0.22,
        "salvage_value": 0.04,
        "shelf_life_days": 1,
        "batch_size": 12,
    }
    assert all(body["unit_cost"] < body["price"] for body in bodies.values())


def test_event_bodies_list_their_days_in_order(bakery: Bakery) -> None:
    assert event_bodies(bakery) == {
        "festival": {
            "name": "Stadtfest",
            "dates": ["2024-06-14", "2024-06-15", "2024-06-16"],
            "window_before": 0,
            "window_after": 0,
        }
    }
