"""Text in CSV that a spreadsheet shows and never computes.

A cell that begins with one of these is a formula to it, quoted or not; an apostrophe in front makes
it text (OWASP, "CSV Injection").
"""

from typing import Final

FORMULA_BEGINS: Final = "=+-@\t\r＝＋－＠"


def inert(text: str) -> str:
    """The same text, with an apostrophe in front where a spreadsheet would compute it."""
    return f"'{text}" if text.startswith(tuple(FORMULA_BEGINS)) else text
