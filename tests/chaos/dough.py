"""What the children of the chaos workers do. They import nothing else."""

import time
from collections.abc import Callable
from typing import Any


def bake(order: tuple[float, int], report: Callable[[Any], None]) -> int:
    """An answer that only this order has, after so many seconds."""
    seconds, number = order
    time.sleep(seconds)
    return number * number
