"""The sources there are, and of what kind each may be."""

from enum import StrEnum
from typing import Final


class SourceName(StrEnum):
    SALES = "sales"
    WEATHER = "weather"
    TRAFFIC = "traffic"


class Kind(StrEnum):
    """`flow` measures the traffic at one point and instant, and has no past."""

    PUSH = "push"
    NONE = "none"
    HTTP = "http"
    SQUARE = "square"
    SHOPIFY = "shopify"
    OPEN_METEO = "open-meteo"
    FLOW = "flow"


KINDS: Final = {
    SourceName.SALES: (Kind.PUSH, Kind.HTTP, Kind.SQUARE, Kind.SHOPIFY),
    SourceName.WEATHER: (Kind.NONE, Kind.OPEN_METEO, Kind.HTTP),
    SourceName.TRAFFIC: (Kind.NONE, Kind.HTTP, Kind.FLOW),
}
"""Of each source its kinds; the first holds until another is set."""

UNCONNECTED: Final = (Kind.PUSH, Kind.NONE)
"""Of these there is nothing to pull."""
NEEDS_ADDRESS: Final = (Kind.HTTP, Kind.SHOPIFY, Kind.FLOW)
"""The others have one of their own."""
