"""What OpenAPI says of the imports, whose bodies FastAPI cannot read out of a signature."""

from typing import Any, Final

from services.training.sales.frame import MOST_COLUMNS
from services.training.sales.numeric import LARGEST
from services.training.sales.regressor_rows import OF_SALES_ALONE
from services.training.sales.sales_rows import REGRESSOR_NAME
from shared.text import SOMETHING

TABULAR: Final = {
    "text/csv": {"schema": {"type": "string"}},
    "application/x-ndjson": {"schema": {"type": "string"}},
    "application/vnd.apache.parquet": {"schema": {"type": "string", "format": "binary"}},
}
DAY: Final = {"type": "string", "format": "date"}
NAME: Final = {"type": "string", "minLength": 1, "maxLength": 200, "pattern": SOMETHING}
NUMBER: Final = {"type": ["number", "null"], "minimum": -LARGEST, "maximum": LARGEST}
NOT_NEGATIVE: Final = {"type": ["number", "null"], "minimum": 0, "maximum": LARGEST}
FLAG: Final = {"enum": [0, 1, True, False, None]}


REGRESSOR: Final = "^" + REGRESSOR_NAME.pattern.replace(r"\Z", "$")


def _body(description: str, properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    row = {
        "type": "object",
        "properties": properties,
        "required": required,
        "patternProperties": {REGRESSOR: NUMBER},
        "additionalProperties": False,
        "maxProperties": MOST_COLUMNS,
    }
    rows = {
        "type": "object",
        "properties": {"rows": {"type": "array", "items": row}},
        "required": ["rows"],
        "additionalProperties": False,
    }
    return {
        "requestBody": {
            "description": description,
            "required": True,
            "content": {"application/json": {"schema": rows}, **TABULAR},
        }
    }


SALES_BODY: Final = _body(
    "Rows of sales. The key is (location, product, date); any further numeric column becomes a "
    "named regressor of that key. Content-Encoding gzip is accepted.",
    {
        "date": DAY,
        "product": NAME,
        "location": NAME | {"type": ["string", "null"], "default": "main"},
        "quantity": NUMBER,
        "price": NOT_NEGATIVE,
        "promotion": NOT_NEGATIVE,
        "stockout": FLAG,
        "open": FLAG,
    },
    ["date", "product", "quantity"],
)
REGRESSOR_BODY: Final = _body(
    "What is known about days. Without `product` a row holds for all products, without `location` "
    "for all locations. Content-Encoding gzip is accepted.",
    {
        "date": DAY,
        "product": NAME | {"type": ["string", "null"]},
        "location": NAME | {"type": ["string", "null"]},
        "price": NOT_NEGATIVE,
        "promotion": NOT_NEGATIVE,
        "open": FLAG,
        **dict.fromkeys(OF_SALES_ALONE, False),
    },
    ["date"],
)
