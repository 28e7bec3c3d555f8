"""The pool settings as the database layer takes them."""

from services.training.settings import Settings
from shared.database import PoolLimits


def pool_limits(settings: Settings) -> PoolLimits:
    return PoolLimits(
        size=settings.db_pool_size,
        max_overflow=settings.db_max_overflow,
        timeout=settings.db_pool_timeout,
        recycle=settings.db_pool_recycle,
        pre_ping=settings.db_pool_pre_ping,
        echo=settings.db_echo,
        named_statements=settings.db_pooler == "none",
    )
