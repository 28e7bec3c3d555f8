"""What an upstream says is wrong, fit to be shown: short, one line, none of our secrets in it."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from shared.upstream.payload import Json, NotJson, parse_json

MOST_READ: Final = 65_536
MOST_SHOWN: Final = 200
FIELDS: Final = ("reason", "detail", "message", "error_description", "error", "title")
SECRET_NAME: Final = re.compile(r"key|token|secret|password|signature|auth", re.IGNORECASE)
SHORTEST_SECRET: Final = 4


def reason_in(body: bytes, secrets: Iterable[str]) -> str:
    """The reason that a JSON body names in one of the usual fields; empty where it names none."""
    try:
        said = _find(parse_json(body))
    except NotJson:
        return ""
    for secret in sorted(secrets, key=len, reverse=True):
        said = said.replace(secret, "…")
    printable = "".join(sign if sign.isprintable() else " " for sign in said)
    return " ".join(printable.split())[:MOST_SHOWN]


def secrets_of(headers: Mapping[str, str], params: Mapping[str, str]) -> set[str]:
    """What of a call must not be shown: header values, their last words, and what is named so."""
    found = {word for value in headers.values() for word in (value, value.split(" ")[-1])}
    found |= {value for name, value in params.items() if SECRET_NAME.search(name)}
    return {secret for secret in found if len(secret) >= SHORTEST_SECRET}


def _find(answer: Json) -> str:
    match answer:
        case dict():
            named = (_find(answer[name]) for name in FIELDS if name in answer)
            listed = _find(answer.get("errors"))
            return next(filter(None, named), listed)
        case [first, *_]:
            return _find(first)
        case str():
            return answer
        case _:
            return ""
