"""The faults find a guard that is missing: each of these copies of the service fails."""

import pytest

from tests.chaos.mutants import MUTANTS
from tests.chaos.running import run_chaos

BREAKS = {
    "fence_off": "no effect of a stale claim stands",
    "lease_not_renewed": "every task has its effect",
    "unlock_unchecked": "no lock is held in the end",
}


SEEDS = ("2026", "7", "11")
"""When a fault strikes is the seed's, what it meets then is not: a guard that one run does not
miss, another does."""


@pytest.mark.timeout(900)
@pytest.mark.parametrize("mutant", MUTANTS)
def test_the_suite_fails_without_a_guard(mutant: str) -> None:
    assert any(breaks(mutant, seed) for seed in SEEDS)


def breaks(mutant: str, seed: str) -> bool:
    arguments = ("--tasks", "300", "--faults", "30", "--seed", seed, "--mutant", mutant)
    status, figures, said = run_chaos(*arguments)
    assert status == (1 if figures["broken"] else 0)
    if BREAKS[mutant] not in figures["broken"]:
        return False
    assert f"--mutant {mutant}" in said.splitlines()[-1]
    return True
