"""JSON and NDJSON into columns: strict about what JSON leaves open."""

import json
from collections.abc import Sequence
from typing import Final

import numpy as np

from services.training.sales.faults import Faults, refuse
from services.training.sales.frame import Column, Frame, require_few_columns
from shared.strict_json import StrictJsonError, strict_object

DECODER: Final = json.JSONDecoder(object_pairs_hook=strict_object)


def read_json(text: bytes) -> Frame:
    """`{"rows": [{...}, ...]}` into columns."""
    try:
        document = DECODER.decode(text.decode())
    except RecursionError:
        raise refuse(
            "invalid_json", "the JSON is nested too deeply: rows are flat objects"
        ) from None
    except ValueError as error:
        raise refuse(_code(error), f"the JSON cannot be read: {_reason(error)}") from None
    if not isinstance(document, dict) or list(document) != ["rows"]:
        raise refuse("invalid_json", 'the body is an object with one member: {"rows": [...]}')
    rows = document["rows"]
    if not isinstance(rows, list):
        raise refuse("invalid_json", "`rows` is a list of objects", field="rows")
    return frame_of(rows)


def read_ndjson(text: bytes) -> Frame:
    """One JSON object a line; empty lines are passed over."""
    lines = [line for line in text.decode().split("\n") if line.strip()]
    return frame_of([_line(line, row) for row, line in enumerate(lines, 1)])


def _line(line: str, row: int) -> object:
    try:
        return DECODER.decode(line)
    except RecursionError:
        raise refuse("invalid_json", f"row {row} is nested too deeply", row=row) from None
    except ValueError as error:
        raise refuse(_code(error), f"row {row} is not JSON: {_reason(error)}", row=row) from None


def _code(error: ValueError) -> str:
    return error.code if isinstance(error, StrictJsonError) else "invalid_json"


def _reason(error: ValueError) -> str:
    known = isinstance(error, json.JSONDecodeError | StrictJsonError)
    return f"{error!s:.300}" if known else "a number has more digits than any can have here"


def frame_of(rows: Sequence[object]) -> Frame:
    """Parsed rows into columns; each is to be an object."""
    objects = _require_objects(rows)
    names = list(dict.fromkeys(name for keys in set(map(tuple, objects)) for name in keys))
    require_few_columns(names)
    return Frame({name: _column(objects, name) for name in names}, len(objects))


def _require_objects(rows: Sequence[object]) -> list[dict[str, object]]:
    objects = [row for row in rows if isinstance(row, dict)]
    if len(objects) != len(rows):
        faults = Faults()
        wrong = np.array([not isinstance(row, dict) for row in rows])
        faults.mark(wrong, "row", "not_an_object", lambda row: f"row {row + 1} is not an object")
        faults.raise_if_any()
    return objects


def _column(rows: list[dict[str, object]], name: str) -> Column:
    values = [row.get(name) for row in rows]
    if None not in values:
        return Column(values)
    return Column(values, np.fromiter((name in row for row in rows), bool, len(rows)))
