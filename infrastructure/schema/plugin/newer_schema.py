"""For pytest of an earlier commit: its databases are brought up to this checkout's schema."""

import os
import subprocess
import sys

UPGRADE = (
    "import os, sys; from alembic import command; import migrations\n"
    "from infrastructure.schema.previous import configuration_with\n"
    "command.upgrade(configuration_with(sys.argv[1], os.environ['MORROW_FURTHER']), sys.argv[2])"
)


def pytest_configure() -> None:
    """Where the earlier tests migrate, this checkout migrates after them."""
    import migrations

    theirs = migrations.upgrade

    def upgrade(dsn: str, *given: object, **named: object) -> None:
        theirs(dsn, *given, **named)  # type: ignore[arg-type]
        here, revision = os.environ["MORROW_NEWER"], os.environ["MORROW_NEWER_REVISION"]
        subprocess.run(  # noqa: S603 - this program, of the other checkout
            [sys.executable, "-c", UPGRADE, dsn, revision],
            check=True,
            cwd=here,
            env={**os.environ, "PYTHONPATH": here},
        )

    migrations.upgrade = upgrade
