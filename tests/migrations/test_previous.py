"""The tests of an earlier commit run with its code on a newer schema, and tell what that breaks.

There is no release yet: the commit is the one checked out, the newer schema the revisions of tests.
"""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
REVISIONS = "tests/migrations/revisions"
CATALOGUE = "tests/sales/test_catalogue.py::test_"
WRITES_PRODUCTS = CATALOGUE + "a_tenant_starts_with_one_location_and_sales_make_the_others"
WRITES_NONE = CATALOGUE + "an_event_is_kept_with_its_days_in_order"


def told_of(*revision: str) -> tuple[str, int]:
    """pytest's last line but its time, and its status."""
    way = ("HEAD", *revision, "-n", "0", "-p", "no:cacheprovider")
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "infrastructure.schema.previous",
            *way,
            WRITES_PRODUCTS,
            WRITES_NONE,
        ],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    return run.stdout + run.stderr, run.returncode


def test_what_a_newer_schema_breaks_is_told_and_nothing_else() -> None:
    """9003 serves this code no more: products need a shelf."""
    told, status = told_of("--further", REVISIONS, "--revision", "9003")
    assert "1 failed, 1 passed" in told
    assert status == 1


@pytest.mark.long
@pytest.mark.parametrize(
    "newer",
    [(), ("--further", REVISIONS, "--revision", "9002")],
    ids=["the same head", "a head that serves it"],
)
def test_nothing_is_broken_by_what_serves_the_code(newer: tuple[str, ...]) -> None:
    told, status = told_of(*newer)
    assert "2 passed" in told, told
    assert status == 0
