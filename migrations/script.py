"""Running a file of SQL inside a migration's transaction."""

from pathlib import Path

from alembic import context, op
from sqlalchemy.util import await_only

HERE = Path(__file__).parent / "sql"


def run_sql(name: str) -> None:
    """Run `sql/<name>`: many statements, which the extended protocol would refuse."""
    sql = (HERE / name).read_text()
    if context.is_offline_mode():
        op.get_context().impl.static_output(sql)
        return
    driver = op.get_bind().connection.driver_connection
    assert driver is not None
    await_only(driver.execute(sql))
