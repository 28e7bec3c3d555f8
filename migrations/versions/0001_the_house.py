"""Every table of the first release, the wall between tenants, and the queue's functions."""

from migrations.script import run_sql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None
serves = ("0001",)


def upgrade() -> None:
    run_sql("0001_tables.sql")
    run_sql("0001_walls.sql")
    run_sql("0001_identity.sql")
    run_sql("0001_queue.sql")
    run_sql("0001_periodic.sql")
    run_sql("0001_sources.sql")
    run_sql("0001_breakers.sql")
    run_sql("0001_audit.sql")
    run_sql("0001_metering.sql")
    run_sql("0001_erasure.sql")


def downgrade() -> None:
    run_sql("0001_down.sql")
