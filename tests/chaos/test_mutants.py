"""The faults find a guard that is missing: each of these copies of the service fails."""

import pytest

from tests.chaos.mutants import MUTANTS
from tests.chaos.running import run_chaos

BREAKS = {
    "fence_off": "no effect of a stale claim stands",
    "lease_not_renewed": "every task has its effect",
    "unlock_unchecked": "no lock is held in the end",
}
CALM = ("--tasks", "20", "--faults", "0", "--patience", "6")
"""One order among them outlasts its lease."""
LEAPS = ("--tasks", "40", "--faults", "12", "--kinds", "leap_of_the_clock", "--patience", "6")
SHORT = {"fence_off": LEAPS, "lease_not_renewed": CALM, "unlock_unchecked": CALM}
EVERY_KIND = ("--tasks", "300", "--faults", "30")

SEEDS = ("2026", "7", "11")
"""When a fault strikes is the seed's, what it meets then is not: a guard that one run does not
miss, another does."""


@pytest.mark.timeout(900)
@pytest.mark.parametrize("mutant", MUTANTS)
def test_the_suite_fails_without_a_guard(mutant: str) -> None:
    assert any(breaks(mutant, SHORT[mutant], seed) for seed in SEEDS)


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "scenario", [CALM, pytest.param(LEAPS, marks=pytest.mark.long)], ids=["calm", "leaps"]
)
def test_where_a_mutant_fails_the_whole_service_does_not(scenario: tuple[str, ...]) -> None:
    """But that so little may bring about no stale publish."""
    _, figures, said = run_chaos(*scenario)
    assert set(figures["broken"]) <= {"stale publishes were tried, and refused"}, said


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("mutant", MUTANTS)
def test_under_every_kind_of_fault_it_fails_too(mutant: str) -> None:
    assert any(breaks(mutant, EVERY_KIND, seed) for seed in SEEDS)


def breaks(mutant: str, scenario: tuple[str, ...], seed: str) -> bool:
    status, figures, said = run_chaos(*scenario, "--seed", seed, "--mutant", mutant)
    assert status == (1 if figures["broken"] else 0)
    if BREAKS[mutant] not in figures["broken"]:
        return False
    assert f"--mutant {mutant}" in said.splitlines()[-1]
    return True
