"""What may take long: apart from any transaction, under locks that stop no traffic, repeatable."""

from alembic import op

revision = "9002"
down_revision = "9001"
branch_labels = None
depends_on = None
serves = ("0001", "9001", "9002")


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(
            "-- squawk-ignore prefer-robust-stmts\n"  # what is valid may be validated again
            "ALTER TABLE sales VALIDATE CONSTRAINT weighed_not_negative"
        )
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS sales_weighed")
        op.execute(
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS sales_weighed ON sales (tenant_id, weighed)"
        )


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS sales_weighed")
    op.execute("ALTER TABLE sales DROP CONSTRAINT weighed_not_negative")
    op.execute(
        "ALTER TABLE sales ADD CONSTRAINT weighed_not_negative CHECK (weighed >= 0) NOT VALID"
    )
