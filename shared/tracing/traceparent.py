"""The header by which a trace goes on elsewhere (W3C Trace Context, level 1)."""

import re
from dataclasses import dataclass
from typing import Final

FORM: Final = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
SAMPLED: Final = 1
LONGEST: Final = 200
"""Of a version to come, which may say more than we read."""


@dataclass(frozen=True, slots=True)
class Place:
    """A span, wherever it was made."""

    trace_id: int
    span_id: int
    sampled: bool

    def __str__(self) -> str:
        return f"00-{self.trace_id:032x}-{self.span_id:016x}-{int(self.sampled):02x}"


def place_in(text: str | None) -> Place | None:
    """The place that a header names; None where it names none, for it may come from anybody."""
    form = FORM.fullmatch(text) if text is not None and len(text) <= LONGEST else None
    if form is None:
        return None
    version, trace_id, span_id, flags, more = form.groups()
    if version == "ff" or (version == "00" and more is not None):
        return None
    place = Place(int(trace_id, 16), int(span_id, 16), bool(int(flags, 16) & SAMPLED))
    return place if place.trace_id and place.span_id else None
