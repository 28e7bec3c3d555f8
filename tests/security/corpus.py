"""What is put into every field: each value with a name, as text and as JSON."""

import json
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

MEGABYTE: Final = 1_000_000
DEEP: Final = 10_000


@dataclass(frozen=True, slots=True)
class Nasty:
    """`text` where text is wanted (a path, a query, a header), `json` in a body."""

    name: str
    text: str
    json: str
    is_long: bool = False


def of_text(name: str, text: str, **more: bool) -> Nasty:
    return Nasty(name, text, json.dumps(text), **more)


def of_number(name: str, text: str) -> Nasty:
    return Nasty(name, text, text)


NUMBERS: Final = tuple(
    of_number(name, text)
    for name, text in {
        "2^31": str(2**31),
        "2^63": str(2**63),
        "-2^63-1": str(-(2**63) - 1),
        "2^64": str(2**64),
        "10^400": "1" + "0" * 400,
        "1e400": "1e400",
        "5000 digits": "9" * 5000,  # more than Python turns into an integer
        "minus zero": "-0.0",
        "least": "5e-324",
        "NaN": "NaN",
        "Infinity": "Infinity",
        "-Infinity": "-Infinity",
        "true": "true",
        "null": "null",
    }.items()
)
TEXTS: Final = tuple(
    of_text(name, text)
    for name, text in {
        "empty": "",
        "blank": " \t ",
        "NUL": "a\0b",
        "escape": "a\x1b[2Jb",
        "lone surrogate": "a\ud800b",
        "surrogates the wrong way round": "\udc00\ud800",
        "line separator": "a\u2028b",
        "right to left": "a\u202eb",
        "no character": "\uffff\U0010ffff",
        "grows when composed": "\u0958" * 150,
        "a formula": "=1+1",
        "a formula of commands": "@SUM(A1)|cmd",
        "markup": "<script>alert(1)</script>",
        "a statement": "'; DROP TABLE sales; --",
        "a pattern": "%_\\",
        "a template": "{0.__class__}%s${x}",
        "log lines": 'x\r\nX-Forged: 1\r\n\r\n{"level":"error"}',
        "a way up": "../../../../etc/passwd",
        "first day": "0001-01-01",
        "last day": "9999-12-31",
        "year zero": "0000-01-01",
        "no day": "2026-02-30",
        "an hour that was skipped": "2026-03-29T02:30:00",
        "a first instant": "0001-01-01T00:00:00+14:00",
        "a last instant": "9999-12-31T23:59:59-14:00",
        "a leap second": "2016-12-31T23:59:60Z",
        "an id of nobody": "00000000-0000-4000-8000-00000000dead",
        "digits of another script": "١٢٣",
        "an underscored number": "1_000",
        "hexadecimal": "0x10",
    }.items()
)
LONG: Final = (
    of_text("a megabyte", "x" * MEGABYTE, is_long=True),
    of_text("many marks", "a" + "\u0301" * 100_000, is_long=True),
)
SHAPES: Final = tuple(
    Nasty(name, json_text, json_text, is_long=len(json_text) > DEEP)
    for name, json_text in {
        "a list": "[]",
        "an object": "{}",
        "a list of nothing": "[null]",
        "an object twice": '{"a": 1, "a": 2}',
        "a prototype": '{"__proto__": {"a": 1}, "constructor": 1}',
        "a deep list": "[" * DEEP + "]" * DEEP,
        "a deep object": '{"a":' * DEEP + "1" + "}" * DEEP,
        "many items": "[" + "0," * 20_000 + "0]",
    }.items()
)
VALUES: Final = (*NUMBERS, *TEXTS, *SHAPES, *LONG)

SEGMENTS: Final = {
    "an encoded slash": "a%2fb",
    "a way up": "..%2f..%2fetc%2fpasswd",
    "an encoded way up": "%2e%2e%2f%2e%2e",
    "twice encoded": "%252e%252e%252f",
    "dots": "..",
    "an encoded NUL": "a%00b",
    "an encoded line": "a%0d%0aX-Forged:%201",
    "no UTF-8": "%ff%fe",
    "a surrogate in UTF-8": "%ed%a0%80",
    "half an encoding": "%f",
    "parameters": "main;a=1",
    "a question": "main%3fa=1",
    "a very long one": "a" * 60_000,
}
"""Path segments, encoded as they are sent."""

QUERIES: Final = {
    "no UTF-8": "%ff%fe",
    "half an encoding": "%f",
    "an encoded NUL": "%00",
    "brackets": "&[]=1&[a][b]=2",
    "ampersands": "&" * 5_000,
}
"""Values of a query, encoded as they are sent."""

HEADERS: Final[dict[str, bytes]] = {
    "empty": b"",
    "bytes": bytes(range(0x80, 0x100)),
    "a tab": b"a\tb",
    "a comma": b"a,b",
    "quotes": b'"\\',
    "long": b"x" * 60_000,
    "2^63": str(2**63).encode(),
    "5000 digits": b"9" * 5000,
    "negative": b"-1",
    "UTF-8": "ä€😀".encode(),
    "a formula": b"=1+1",
}


def encoded(value: Nasty) -> str:
    """The value percent-encoded; a lone surrogate as those who send it would."""
    return quote(value.text.encode("utf-8", "surrogatepass"), safe="")
