"""How many calls may be repeated, so that retries never become the load that breaks an upstream."""

from typing import Final

PART: Final = 0.1
RESERVE: Final = 2
MOST: Final = 10.0


class RetryBudget:
    """Of n calls at most a tenth are repeated, or `RESERVE` where that is more.

    A token bucket that each call fills by a tenth, up to `MOST`. It begins with the reserve, which
    the first calls pay for: an upstream that is seldom asked gets its second chance too.
    """

    def __init__(self) -> None:
        self._tokens = float(RESERVE)
        self._unpaid = round(RESERVE / PART)

    def note_call(self) -> None:
        if self._unpaid:
            self._unpaid -= 1
        else:
            self._tokens = min(MOST, self._tokens + PART)

    def take(self) -> bool:
        """Whether one more call may be repeated; then it is counted."""
        if self._tokens < 1 - 1e-9:  # ten tenths make one
            return False
        self._tokens -= 1
        return True
