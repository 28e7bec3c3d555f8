"""Nothing of one tenant is told to another, by any route, with any key, to whatever it names."""

import asyncio
import json
import pickle
import sys
from pathlib import Path

import pytest
import structlog

from services.training.tables.breakers import EVERYBODY
from tests.conftest import execute
from tests.security.attack import attack
from tests.security.canaries import Watch, rows_of
from tests.security.filled import Filled, copied, filled
from tests.security.logged import logged_at_debug
from tests.security.row import Row
from tests.security.rows import MODELS, ROWS

__all__ = ["filled"]

NOBODYS = {"breaker_instances", "breaker_resets"}
"""What every process tells of itself: these tables hold rows of no tenant."""
OF_THE_ERASED = {"erasures"}
STAND_WITHOUT = {"audit_heads", "audit_log", "erasures"}
"""Nobody may read the heads; the record is also filtered in the code, and outlives its tenant as
the receipts of erasures do, which hold nothing of tenants that live."""
WALL_OFF = "ALTER TABLE {table} DISABLE ROW LEVEL SECURITY"


async def test_both_tenants_hold_rows_in_every_table(filled: Filled, tmp_path: Path) -> None:
    """So that a new table is not left out."""
    with copied(filled, tmp_path) as ground:
        for side in filled.sides:
            rows = await rows_of(ground.admin_dsn, side.id)
            assert {table for table, found in rows.items() if not found} == NOBODYS | OF_THE_ERASED
        of_nobody = await rows_of(ground.admin_dsn, EVERYBODY)
        assert of_nobody["breaker_instances"]


async def test_no_route_tells_a_tenant_of_another(filled: Filled, tmp_path: Path) -> None:
    first, second = filled.sides
    with copied(filled, tmp_path) as ground:
        outcome = await attack(ground, first, second, ROWS)
    print(f"\n{outcome.cases} calls, {outcome.canaries} canaries, {len(ROWS)} rows")
    assert outcome.faults == []
    assert outcome.cases > 2_000
    assert outcome.canaries > 500


@pytest.mark.long
async def test_nor_the_other_of_the_first(filled: Filled, tmp_path: Path) -> None:
    first, second = filled.sides
    with copied(filled, tmp_path) as ground:
        outcome = await attack(ground, second, first, ROWS)
    assert outcome.faults == []


async def test_without_any_filter_in_the_code_the_wall_is_enough(
    filled: Filled, tmp_path: Path
) -> None:
    first, second = filled.sides
    with copied(filled, tmp_path / "ground") as ground:
        file = tmp_path / "sides.pickle"
        file.write_bytes(pickle.dumps((ground, first, second)))
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.security.attack_unfiltered", str(file)),
            stdout=asyncio.subprocess.PIPE,
        )
        said, _ = await process.communicate()
    outcome = json.loads(said.splitlines()[-1])
    assert outcome["faults"] == []
    assert outcome["left"] == []
    assert outcome["taken"] > 40
    assert outcome["cases"] > 300


async def test_where_the_wall_is_down_and_no_filter_stands_the_matrix_fails(
    filled: Filled, tmp_path: Path
) -> None:
    faults = await faults_without_wall(filled, tmp_path, "models", MODELS)
    assert any(" in the answer" in fault for fault in faults), faults


@pytest.mark.long
async def test_so_it_does_whichever_table_loses_its_wall(filled: Filled, tmp_path: Path) -> None:
    reading = [row for row in ROWS if row.reads]
    with copied(filled, tmp_path / "names") as ground:
        tables = set(await rows_of(ground.admin_dsn, EVERYBODY)) - NOBODYS
    unnoticed = {
        table
        for table in tables
        if not await faults_without_wall(filled, tmp_path / table, table, reading)
    }
    assert unnoticed == STAND_WITHOUT


async def faults_without_wall(
    filled: Filled, folder: Path, table: str, rows: list[Row]
) -> list[str]:
    first, second = filled.sides
    with copied(filled, folder) as ground:
        await execute(ground.admin_dsn, WALL_OFF.format(table=table))
        return (await attack(ground, first, second, rows, bad_keys=False)).faults


def test_canaries_are_found_wherever_they_are_told() -> None:
    watch = Watch({"7391.125", "a secret name"}, "birchleaf")
    assert watch.found_in(b'{"quantity":7391.125}', []) == ["7391.125"]
    assert watch.found_in(b"of birchleaf roll", ["birchleaf roll"]) == []
    assert watch.found_in(b"of birchleaf roll and bun", ["birchleaf bun"]) == ["birchleaf"]
    with logged_at_debug() as logged:
        structlog.get_logger().debug("row_read", name="a secret name")
        assert watch.found_in(logged.taken(), []) == ["a secret name"]
