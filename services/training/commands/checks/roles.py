"""Whether the service's roles can see no tenant but the one they name."""

from typing import TYPE_CHECKING

from services.training.commands.checks.verdict import Verdict, failed, warning, well
from shared.roles import DEFINER, MIGRATOR, OWNER

if TYPE_CHECKING:
    import asyncpg

    Connection = asyncpg.Connection[asyncpg.Record]

ROLE = """
SELECT acting.rolname::text AS role, acting.rolsuper, acting.rolbypassrls,
       login.rolname::text AS login, login.rolsuper OR login.rolbypassrls AS login_sees_all,
       ARRAY(SELECT relname::text FROM pg_class
             WHERE relowner = acting.oid AND relkind IN ('r', 'p')) AS owned,
       ARRAY(SELECT rolname::text FROM pg_roles
             WHERE rolname = ANY ($1::text[])
               AND pg_has_role(acting.oid, oid, 'MEMBER')) AS member_of
FROM pg_roles acting, pg_roles login
WHERE acting.rolname = current_user AND login.rolname = session_user
"""

OPEN_TABLES = """
SELECT relname::text AS name, relrowsecurity AND relforcerowsecurity AS walled
FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
WHERE attname = 'tenant_id' AND relkind IN ('r', 'p')
  AND relnamespace = 'public'::regnamespace
ORDER BY relname
"""


async def check_role(connection: "Connection") -> Verdict:
    """The role that the connection acts as: it must be subject to row-level security."""
    found = await connection.fetchrow(ROLE, [OWNER, DEFINER, MIGRATOR])
    assert found is not None, "a session has a role"
    role = check = found["role"]
    if found["rolsuper"] or found["rolbypassrls"]:
        return failed(
            check,
            f"{role} is a superuser or has BYPASSRLS, so it sees every tenant: "
            f"ALTER ROLE {role} NOSUPERUSER NOBYPASSRLS",
        )
    if found["member_of"]:
        above = ", ".join(found["member_of"])
        return failed(
            check, f"{role} may become {above}, past the wall: REVOKE {above} FROM {role}"
        )
    if found["owned"]:
        owned = ", ".join(found["owned"])
        return failed(check, f"{role} owns {owned}: ALTER TABLE … OWNER TO {OWNER}")
    if found["login_sees_all"]:
        return warning(
            check,
            f"the login {found['login']} sees every tenant and only steps down to {role}: "
            f"give the service a login of its own, {role}",
        )
    return well(check, f"{role} is subject to row-level security and owns no table")


async def check_walls(connection: "Connection") -> Verdict:
    """Every table that belongs to tenants has row-level security, also against its owner."""
    found = await connection.fetch(OPEN_TABLES)
    open_tables = [row["name"] for row in found if not row["walled"]]
    if open_tables:
        return failed(
            "tenant walls",
            f"row-level security is not enabled and forced on {', '.join(open_tables)}: "
            "ALTER TABLE … ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
        )
    return well("tenant walls", f"row-level security is forced on all {len(found)} tenant tables")
