"""Text as it may enter: no NUL, no lone surrogate, one spelling (NFC) of what looks the same."""

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, StringConstraints
from pydantic_core import PydanticCustomError


def clean(value: str) -> str:
    """`value` in NFC; `PydanticCustomError` where it holds what cannot be stored or shown."""
    for character in value:
        category = unicodedata.category(character)
        if category in {"Cs", "Cc"} and character not in "\t\n":
            raise PydanticCustomError(
                "forbidden_character",
                "U+{code} at position {position} is not text: remove it",
                {"code": f"{ord(character):04X}", "position": value.index(character)},
            )
    return unicodedata.normalize("NFC", value)


Text = Annotated[str, StringConstraints(max_length=2000), AfterValidator(clean)]
Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
    AfterValidator(clean),
]
