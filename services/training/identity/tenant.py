"""Whether the tenant is there that a token, or a batch on the disk, says it is of."""

from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

KNOWN: Final = text("""
SELECT EXISTS (SELECT FROM tenants WHERE tenant_id = app_tenant())
  AND NOT EXISTS (SELECT FROM erasures WHERE tenant_id = app_tenant())
""")


async def is_known(session: AsyncSession) -> bool:
    """Whether the session's tenant is in this database, and is not being erased."""
    return bool(await session.scalar(KNOWN))
