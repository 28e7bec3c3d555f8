"""What only code before the last revision still wrote is gone: that code is served no more."""

from alembic import op

revision = "9003"
down_revision = "9002"
branch_labels = None
depends_on = None
serves = ("9002", "9003")


def upgrade() -> None:
    op.execute(
        "-- squawk-ignore ban-drop-default\n"  # nothing since 9002 leaves it out
        "ALTER TABLE products ALTER COLUMN shelf DROP DEFAULT"
    )
    op.execute("ALTER TABLE locations SET (fillfactor = 90)")


def downgrade() -> None:
    op.execute("ALTER TABLE locations RESET (fillfactor)")
    op.execute("ALTER TABLE products ALTER COLUMN shelf SET DEFAULT 'the lowest'")
