"""The faults find a guard that is missing: each of these copies of the service fails."""

import pytest

from tests.chaos.mutants import MUTANTS
from tests.chaos.running import run_chaos

BREAKS = {
    "fence_off": "no effect of a stale claim stands",
    "lease_not_renewed": "every task has its effect",
    "unlock_unchecked": "no lock is held in the end",
}


@pytest.mark.timeout(900)
@pytest.mark.parametrize("mutant", MUTANTS)
def test_the_suite_fails_without_a_guard(mutant: str) -> None:
    status, figures, said = run_chaos("--tasks", "300", "--faults", "30", "--mutant", mutant)
    assert status == 1
    assert BREAKS[mutant] in figures["broken"]
    assert f"--mutant {mutant}" in said.splitlines()[-1]
