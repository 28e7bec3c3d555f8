"""The faults find a guard that is missing: each of these copies fails."""

import pytest

from tests.streams.faults.mutants import MUTANTS
from tests.streams.faults.running import Ended, begin

SHORT = (
    *("--watchers", "24", "--seconds", "1", "--apis", "1", "--slow", "2", "--patience", "6"),
    *("--cuts", "0", "--freezes", "0", "--restarts", "0", "--terminations", "0", "--kills"),
)
KILLS = dict(zip(MUTANTS, ("0", "1"), strict=True))
BREAKS = dict(
    zip(
        MUTANTS,
        (
            {"each is told to the end", "who reads too slowly is cut off"},
            {"each is told to the end", "no watcher misses an event", "none is told twice"},
        ),
        strict=True,
    )
)


@pytest.fixture(scope="module")
def ended() -> dict[str, Ended]:
    """All at once, since most of what they do is wait."""
    begun = {name: begin(*SHORT, KILLS[name], "--mutant", name) for name in MUTANTS}
    return {name: each.end() for name, each in begun.items()}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("mutant", MUTANTS)
def test_the_run_fails_without_its_guards(mutant: str, ended: dict[str, Ended]) -> None:
    assert BREAKS[mutant] <= set(ended[mutant].figures["broken"])
    assert ended[mutant].status == 1
