"""No request that can be made of the OpenAPI document meets an answer that is not in it."""

import secrets
from collections import Counter
from pathlib import Path

import pytest

from tests.conftest import Database
from tests.security.campaign import Outcome, run_campaign

LEAST_CASES = 5_000
SEED = 2026


@pytest.mark.timeout(900)
def test_a_share_of_what_a_fixed_seed_makes_finds_no_fault(
    database: Database, tmp_path: Path
) -> None:
    outcome = run_campaign(database, tmp_path, seed=SEED, examples=3)
    tell(outcome)
    assert not outcome.faults, faults_of(outcome)


@pytest.mark.long
@pytest.mark.parametrize("seed", [SEED, None], ids=["a fixed seed", "a new seed"])
def test_a_seed_finds_no_fault_and_every_operation_succeeds(
    database: Database, tmp_path: Path, seed: int | None
) -> None:
    chosen = secrets.randbits(32) if seed is None else seed
    outcome = run_campaign(database, tmp_path, seed=chosen, examples=60)
    tell(outcome)
    assert not outcome.faults, faults_of(outcome)
    assert not outcome.never_succeeded
    assert sum(outcome.cases.values()) >= LEAST_CASES


def tell(outcome: Outcome) -> None:
    statuses = sum(outcome.statuses.values(), Counter[int]())
    total = sum(outcome.cases.values())
    print(f"\nseed {outcome.seed}: {total} cases {dict(outcome.cases)}, {dict(statuses)}")


def faults_of(outcome: Outcome) -> str:
    return "\n\n".join([f"seed {outcome.seed}", *outcome.faults[:20]])
