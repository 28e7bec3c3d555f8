"""Text as it may enter: no NUL, no lone surrogate, one spelling (NFC) of what looks the same."""

import re
import unicodedata
from typing import Annotated, Final

from pydantic import BeforeValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

LONGEST_SENT: Final = 8_000
FORBIDDEN: Final = r"\u0000-\u0008\u000b-\u001f\u007f-\u009f"
NOT_TEXT: Final = re.compile(rf"[{FORBIDDEN}\ud800-\udfff]")
SOMETHING: Final = rf"^[^{FORBIDDEN}]*[^{FORBIDDEN}\s][^{FORBIDDEN}]*$"
"""What OpenAPI says of a name: no control character, and not white space alone."""
NOTHING_ELSE: Final = rf"^[^{FORBIDDEN}]*$"
"""What it says of other text."""


def clean(value: str) -> str:
    """`value` in NFC; `PydanticCustomError` where it holds what cannot be stored or shown."""
    if len(value) > LONGEST_SENT:  # before it is looked at, which takes its time
        raise PydanticCustomError(
            "string_too_long", "a text has at most {most} characters", {"most": LONGEST_SENT}
        )
    found = NOT_TEXT.search(value)
    if found is not None:
        raise PydanticCustomError(
            "forbidden_character",
            "U+{code} at position {position} is not text: remove it",
            {"code": f"{ord(found[0]):04X}", "position": found.start()},
        )
    return unicodedata.normalize("NFC", value)


def _spelled(value: object) -> object:
    return clean(value) if isinstance(value, str) else value


# In its one spelling first, for that may be longer than what was sent.
Text = Annotated[
    str,
    StringConstraints(max_length=2000),
    BeforeValidator(_spelled),
    Field(json_schema_extra={"pattern": NOTHING_ELSE}),
]
Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
    BeforeValidator(_spelled),
    Field(json_schema_extra={"pattern": SOMETHING}),
]
