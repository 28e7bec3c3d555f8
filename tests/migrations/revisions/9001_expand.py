"""Columns that code before it need not know."""

from alembic import op

revision = "9001"
down_revision = "0001"
branch_labels = None
depends_on = None
serves = ("0001", "9001")


def upgrade() -> None:
    op.execute("ALTER TABLE sales ADD COLUMN weighed double precision")
    op.execute(
        "ALTER TABLE sales ADD CONSTRAINT weighed_not_negative CHECK (weighed >= 0) NOT VALID"
    )
    op.execute("ALTER TABLE products ADD COLUMN shelf text NOT NULL DEFAULT 'the lowest'")


def downgrade() -> None:
    op.execute("ALTER TABLE products DROP COLUMN shelf")
    op.execute("ALTER TABLE sales DROP COLUMN weighed")
