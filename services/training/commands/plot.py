"""Small pictures of numbers, in text."""

from collections.abc import Sequence

STEPS = "▁▂▃▄▅▆▇█"
UNKNOWN = "·"
BAR = "█"


def sparkline(values: Sequence[float | None], top: float | None = None) -> str:
    """A character a value, in height between 0 and `top` (default: the largest); None: a dot."""
    known = [value for value in values if value is not None]
    highest = top if top is not None else max(known, default=0.0)
    return "".join(UNKNOWN if value is None else _step(value, highest) for value in values)


def bar(value: float, top: float, width: int) -> str:
    """A bar of `width` characters for `top`, and in proportion for less."""
    return BAR * round(width * value / top) if top > 0 else ""


def _step(value: float, highest: float) -> str:
    if highest <= 0 or value <= 0:
        return STEPS[0]
    return STEPS[min(len(STEPS) - 1, int(value / highest * len(STEPS)))]
