"""No revision stops the traffic, as far as squawk can tell; and what would is found."""

import pytest

import migrations
from infrastructure.schema.squawk import Rendered, complaints, rendered
from migrations import Patience
from tests.migrations.chain import longer_chain

LIMITS = "".join(f"{said};\n" for said in Patience().limits())


def of(statement: str, before: str = LIMITS) -> str:
    return complaints(Rendered("planted", f"{before}BEGIN;\n{statement};\nCOMMIT;\n"))


def test_every_revision_is_rendered_whole_and_clean() -> None:
    steps = rendered(migrations.configuration(""))
    assert "CREATE TABLE sales (" in steps[0].sql
    assert [complaints(step) for step in steps] == [""] * len(steps)


def test_what_is_set_aside_with_a_reason_and_runs_apart_is_clean_too() -> None:
    steps = rendered(longer_chain(""))
    assert [step.revision for step in steps] == ["0001", "9001", "9002", "9003"]
    assert "CREATE INDEX CONCURRENTLY" in steps[2].sql
    assert [complaints(step) for step in steps] == [""] * len(steps)


@pytest.mark.parametrize(
    ("planted", "rule"),
    [
        ("CREATE INDEX slow ON sales (quantity)", "require-concurrent-index-creation"),
        (
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS slow ON sales (quantity)",
            "ban-concurrent-index-creation-in-transaction",
        ),
        ("ALTER TABLE sales ALTER COLUMN quantity SET NOT NULL", "adding-not-nullable-field"),
        ("ALTER TABLE sales ADD COLUMN note text NOT NULL", "adding-required-field"),
        ("ALTER TABLE sales ALTER COLUMN quantity TYPE numeric", "changing-column-type"),
        ("ALTER TABLE sales RENAME COLUMN quantity TO amount", "renaming-column"),
        ("ALTER TABLE sales RENAME TO sold", "renaming-table"),
        ("ALTER TABLE sales DROP COLUMN quantity", "ban-drop-column"),
        ("DROP TABLE sales", "ban-drop-table"),
        ("ALTER TABLE sales ADD CONSTRAINT c CHECK (quantity > 0)", "constraint-missing-not-valid"),
        ("ALTER TABLE sales ADD CONSTRAINT u UNIQUE (quantity)", "disallowed-unique-constraint"),
        (
            "ALTER TABLE sales ADD CONSTRAINT f FOREIGN KEY (tenant_id) REFERENCES tenants",
            "adding-foreign-key-constraint",
        ),
        ("ALTER TABEL sales", "syntax-error"),
    ],
)
def test_what_would_stop_the_traffic_or_old_code_is_found(planted: str, rule: str) -> None:
    assert rule in of(planted)


def test_a_revision_without_limits_is_found() -> None:
    told = of("ALTER TABLE sales ADD COLUMN note text", before="")
    assert "require-lock-timeout" in told
    assert "require-statement-timeout" in told


def test_a_harmless_revision_is_let_through() -> None:
    assert of("ALTER TABLE sales ADD COLUMN note text") == ""
