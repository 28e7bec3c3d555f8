"""JSON as it may come from outside: finite numbers, in UTF-8."""

import json
import math
from typing import NoReturn, TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"


class NotJson(ValueError):
    """Says what is wrong, and quotes nothing."""


def parse_json(body: bytes) -> Json:
    """The value that `body` holds; `NotJson` where it holds none.

    Refuses what Python's reader would let pass: NaN, Infinity, and numbers that become infinite.
    """
    try:
        parsed: Json = json.loads(
            body.decode("utf-8-sig"), parse_constant=_refuse_constant, parse_float=_finite
        )
    except UnicodeDecodeError:
        raise NotJson("is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise NotJson(f"is not JSON at byte {error.pos}") from None
    except RecursionError:
        raise NotJson("is nested too deep") from None
    except NotJson:
        raise
    except ValueError:  # an integer of thousands of digits
        raise NotJson("holds a number that is too long") from None
    return parsed


def _refuse_constant(name: str) -> NoReturn:
    raise NotJson(f"holds {name}, which is no number")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise NotJson("holds a number that is too large")
    return number
