"""Rows that lie together, by the value they share."""

from collections.abc import Iterator

import numpy as np

from services.training.sales.days import Ints


def runs_of(values: Ints) -> Iterator[tuple[int, slice]]:
    """Each distinct value of a sorted array, and where its rows are."""
    found, starts = np.unique(values, return_index=True)
    ends = np.append(starts[1:], len(values))
    for value, start, end in zip(found.tolist(), starts, ends[: len(found)], strict=True):
        yield value, slice(start, end)
