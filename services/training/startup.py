"""What must be true before a process serves: settings that can be read, a schema it knows."""

from migrations import require_head
from services.training.pools import pool_limits
from services.training.settings import Settings
from shared.database import make_engine


async def require_current_schema(settings: Settings, role: str) -> None:
    """Raise `SchemaMismatch`, which says whether the code or the database is ahead."""
    engine = make_engine(
        settings.database_url.get_secret_value(), role, pool_limits(settings), "morrow-start"
    )
    try:
        async with engine.connect() as connection:
            await require_head(connection)
    finally:
        await engine.dispose()
