"""The tests of an earlier commit run with its code on a newer schema, and tell what that breaks.

There is no release yet: the commit is the one checked out, the newer schema the revisions of tests.
"""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
REVISIONS = "tests/migrations/revisions"
WRITES_PRODUCTS = (
    "tests/sales/test_catalogue.py"
    "::test_a_tenant_starts_with_one_location_and_sales_make_the_others"
)


@pytest.mark.parametrize(
    ("revision", "told"),
    [("9002", "1 passed"), ("9003", "1 failed")],
    ids=["served", "served no more"],
)
def test_the_tests_of_a_commit_on_a_newer_schema(revision: str, told: str) -> None:
    way = ("HEAD", "--further", REVISIONS, "--revision", revision)
    asked = ("-n", "0", WRITES_PRODUCTS)
    run = subprocess.run(
        [sys.executable, "-m", "infrastructure.schema.previous", *way, *asked],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert told in run.stdout, run.stdout + run.stderr
    assert run.returncode == (0 if "passed" in told else 1)
