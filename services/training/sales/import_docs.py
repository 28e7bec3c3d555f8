"""What OpenAPI says of the imports, whose bodies FastAPI cannot read out of a signature."""

from typing import Any, Final

TABULAR: Final = {
    "text/csv": {"schema": {"type": "string"}},
    "application/x-ndjson": {"schema": {"type": "string"}},
    "application/vnd.apache.parquet": {"schema": {"type": "string", "format": "binary"}},
}
DAY: Final = {"type": "string", "format": "date"}
NUMBER: Final = {"type": ["number", "null"]}
FLAG: Final = {"enum": [0, 1, True, False, None]}


def _body(description: str, properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    row = {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": NUMBER,
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
        "product": {"type": "string"},
        "location": {"type": ["string", "null"], "default": "main"},
        "quantity": NUMBER,
        "price": NUMBER,
        "promotion": NUMBER,
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
        "product": {"type": ["string", "null"]},
        "location": {"type": ["string", "null"]},
        "price": NUMBER,
        "promotion": NUMBER,
        "open": FLAG,
    },
    ["date"],
)
