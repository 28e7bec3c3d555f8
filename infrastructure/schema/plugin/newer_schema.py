"""For pytest of an earlier commit: its databases are brought up to this checkout's schema.

As at an installation: the earlier code migrates, then this checkout on from there. Where both have
the same head, which may be edited until it is released, there is no such way; then this checkout
alone makes the schema.
"""

import os
import subprocess
import sys
from pathlib import Path

from alembic.script import ScriptDirectory

UPGRADE = (
    "import os, sys; from alembic import command; import migrations\n"
    "from infrastructure.schema.previous import configuration_with\n"
    "command.upgrade(configuration_with(sys.argv[1], os.environ['MORROW_FURTHER']), sys.argv[2])"
)


def pytest_configure() -> None:
    """Where the earlier tests migrate, this checkout migrates after them."""
    import migrations

    theirs = migrations.upgrade
    here, revision = os.environ["MORROW_NEWER"], os.environ["MORROW_NEWER_REVISION"]
    scripts = ScriptDirectory(str(Path(migrations.__file__).parent))
    leads_there = scripts.get_current_head() != revision

    def upgrade(dsn: str, *given: object, **named: object) -> None:
        if leads_there:
            theirs(dsn, *given, **named)  # type: ignore[arg-type]
        subprocess.run(  # noqa: S603 - this program, of the other checkout
            [sys.executable, "-c", UPGRADE, dsn, revision],
            check=True,
            cwd=here,
            env={**os.environ, "PYTHONPATH": here},
        )

    migrations.upgrade = upgrade
