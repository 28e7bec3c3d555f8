"""Where the data sets lie, and how their files are read."""

from pathlib import Path

import pandas as pd

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


class DataSetAbsent(LookupError):
    """A data set, or a file of it, is not where it was looked for."""

    def __init__(self, name: str, path: Path) -> None:
        super().__init__(
            f"the data set {name!r} is not here: no {path}; put it there, or pass the directory "
            "that holds the data sets"
        )
        self.name = name
        self.path = path


def data_file(data: Path, name: str, file: str) -> Path:
    path = data / name / file
    if not path.is_file():
        raise DataSetAbsent(name, path)
    return path


def read_table(data: Path, name: str, file: str) -> pd.DataFrame:
    """A CSV file of a data set, its days as dates and its store as the location."""
    table = pd.read_csv(data_file(data, name, file), dtype={"store": "str"})
    return named_as_the_api(table)


def read_sales(data: Path, name: str, file: str = "sales.csv.gz") -> pd.DataFrame:
    """The sales of a data set: date, product, location, quantity, and price and promotion if any.

    Outcomes that come with the sales (revenue, customers) are left out: they cause nothing.
    """
    return sales_columns(read_table(data, name, file))


def sales_columns(table: pd.DataFrame) -> pd.DataFrame:
    wanted = ["date", "product", "location", "quantity", "price", "promotion"]
    sales = table[[column for column in wanted if column in table]].copy()
    sales["quantity"] = sales["quantity"].astype("float64")
    if "promotion" in sales:
        sales["promotion"] = sales["promotion"].astype("Int64")
    return sales


def named_as_the_api(table: pd.DataFrame) -> pd.DataFrame:
    """The table with the API's names for its keys, these before all other columns."""
    renamed = table.rename(columns={"store": "location", "promo": "promotion"})
    if "date" in renamed:
        renamed["date"] = pd.to_datetime(renamed["date"]).astype("datetime64[us]")
    keys = [key for key in ("date", "location") if key in renamed]
    return renamed[keys + [column for column in renamed if column not in keys]]
