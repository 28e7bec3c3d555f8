"""${message}"""

from migrations.script import run_sql

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None
serves = (${repr(up_revision)},)  # and the revision before, where its code may run on this schema


def upgrade() -> None:
    run_sql("${up_revision}_${message}.sql")


def downgrade() -> None:
    ${downgrades if downgrades else "raise NotImplementedError"}
