"""No request that can be made of the OpenAPI document meets an answer that is not in it."""

import secrets
from collections import Counter
from pathlib import Path

import pytest

from tests.conftest import Database
from tests.security.campaign import Outcome, run_campaign

LEAST_CASES = 5_000


def test_a_fixed_seed_finds_no_fault(database: Database, tmp_path: Path) -> None:
    check(run_campaign(database, tmp_path, seed=2026, examples=50))


@pytest.mark.long
def test_a_new_seed_finds_no_fault(database: Database, tmp_path: Path) -> None:
    check(run_campaign(database, tmp_path, seed=secrets.randbits(32), examples=300))


def check(outcome: Outcome) -> None:
    total = sum(outcome.cases.values())
    statuses = sum(outcome.statuses.values(), Counter[int]())
    print(f"\nseed {outcome.seed}: {total} cases {dict(outcome.cases)}, {dict(statuses)}")
    assert not outcome.faults, "\n\n".join(
        [f"seed {outcome.seed}", *outcome.faults[: int(__import__("os").environ.get("ALLF", "20"))]]
    )
    assert not outcome.never_succeeded
    assert total >= LEAST_CASES
