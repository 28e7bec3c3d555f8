"""What no log may hold, cut out of whatever is said; and what could forge a line of it, escaped."""

import re
from collections.abc import Callable, Iterable

CUT = "***"
SHORTEST_SECRET = 8
"""Below this a secret is not looked for as it stands: it would be cut out of common words."""

NAMES = (
    r"(?:password|passwd|passphrase|pwd|secret|token|ticket|cookie|authorization|credentials?|"
    r"api[_-]?key|private[_-]?key|operator[_-]?key|sealing[_-]?key|access[_-]?key|signature)"
)
IS_SENSITIVE = re.compile(rf"(?i)(?:.*[_-])?{NAMES}(?:[_-]id)?")

# Every repetition that can fail is bounded: what is written here, strangers choose.
SHAPES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END[A-Z -]*|\Z)", re.DOTALL), CUT),
    (re.compile(r"(?i)\b(bearer|basic)(\s+)[\w.~+/=-]{8,}"), rf"\1\2{CUT}"),
    (re.compile(r"\b(mrw_[0-9A-Za-z]+)_[\w-]+"), rf"\1_{CUT}"),  # the prefix is public
    (re.compile(r"(?<![\w-])eyJ[\w-]{5,2000}\.[\w-]*(?:\.[\w-]*)*"), CUT),  # JSON Web Tokens
    (re.compile(r"(?<=://)[^\s/\"'@:]{0,200}(?::[^\s\"']{0,300})?@"), f"{CUT}@"),  # user:password@
    (re.compile(r"([?&][^\s=&\"'#?]{1,200}=)[^\s&\"'#]*"), rf"\1{CUT}"),  # queries, all of them
    (
        re.compile(
            rf"(?i)({NAMES}(?:[\\\\\"']{{1,4}}\s*[:=,]\s*|\s*[:=]\s*))"
            r"(?:(?:bearer|basic)\s+\S+|b?\\*\"[^\"]*\"|b?\\*'[^']*'|[^\s,;&)}\]\"'\\]+)"
        ),
        rf"\1{CUT}",
    ),
    # What PostgreSQL and SQLAlchemy quote of the rows that they were given.
    (re.compile(r"(DETAIL:|Failing row contains|\[parameters:)[^\n]*"), rf"\1 {CUT}"),
)

FORGING = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)


def redactor(secrets: Iterable[str] = ()) -> Callable[[str], str]:
    """A function that cuts `secrets`, and what is shaped like one, out of a text."""
    known = sorted(
        {each for each in secrets if len(each) >= SHORTEST_SECRET}, key=len, reverse=True
    )
    literal = re.compile("|".join(map(re.escape, known))) if known else None

    def redact(text: str) -> str:
        if literal is not None:
            text = literal.sub(CUT, text)
        for shape, instead in SHAPES:
            text = shape.sub(instead, text)
        return text

    return redact


def escaped(text: str) -> str:
    """`text` on one line, with nothing in it that a terminal obeys or that turns its direction."""
    return FORGING.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def shortened(text: str, most: int) -> str:
    """`text` without its middle, where it has more than `most` characters."""
    if len(text) <= most:
        return text
    half = most // 2
    return f"{text[:half]} [{len(text) - 2 * half} characters] {text[-half:]}"
