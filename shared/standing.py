"""How a connection stands to the wall between tenants: whether it sees those it does not name."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from shared.roles import DEFINER, MIGRATOR, OWNER

if TYPE_CHECKING:
    import asyncpg

STANDING: Final = """
WITH of_tenants AS (
  SELECT c.oid, c.relname, c.relowner, c.relrowsecurity AND c.relforcerowsecurity AS forced
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
  WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
)
SELECT acting.rolname::text AS role, login.rolname::text AS login,
  acting.rolsuper OR acting.rolbypassrls AS sees_all,
  login.rolsuper OR login.rolbypassrls AS login_sees_all,
  ARRAY(
    SELECT relname::text FROM pg_class WHERE relowner = acting.oid AND relkind IN ('r', 'p')
    ORDER BY relname
  ) AS owned,
  ARRAY(
    SELECT above.rolname::text FROM pg_roles above
    WHERE above.oid <> acting.oid AND pg_has_role(acting.oid, above.oid, 'MEMBER')
      AND (
        above.rolsuper OR above.rolbypassrls OR above.rolcreaterole
        OR above.rolname = ANY ($1::text[]) OR above.oid IN (SELECT relowner FROM of_tenants)
      )
    ORDER BY above.rolname
  ) AS above,
  (SELECT count(*) FROM of_tenants) AS of_tenants,
  ARRAY(SELECT relname::text FROM of_tenants WHERE NOT forced ORDER BY relname) AS unwalled
FROM pg_roles acting, pg_roles login
WHERE acting.rolname = current_user AND login.rolname = session_user
"""
PAST_THE_WALL: Final = (
    *(OWNER, DEFINER, MIGRATOR),
    *("pg_read_server_files", "pg_write_server_files", "pg_execute_server_program"),
)


@dataclass(frozen=True, slots=True)
class Standing:
    """`role` is whom the connection acts as, `login` whom it may become again; `of_tenants`: how
    many tables are the tenants'."""

    role: str
    login: str
    sees_all: bool
    login_sees_all: bool
    owned: list[str]
    above: list[str]
    of_tenants: int
    unwalled: list[str]

    def faults(self) -> list[str]:
        """Each way in which the role sees other tenants, with the way out."""
        return [*self.faults_of_role(), *self.faults_of_tables()]

    def faults_of_role(self) -> list[str]:
        if self.sees_all:  # and then is a member of everything, which need not be said
            return [
                f"{self.role} is a superuser or has BYPASSRLS, so it sees every tenant: "
                f"ALTER ROLE {self.role} NOSUPERUSER NOBYPASSRLS"
            ]
        faults = []
        if self.above:
            above = ", ".join(self.above)
            faults.append(
                f"{self.role} may become {above}, past the wall: REVOKE {above} FROM {self.role}"
            )
        if self.owned:
            owned = ", ".join(self.owned)
            faults.append(f"{self.role} owns {owned}: ALTER TABLE … OWNER TO {OWNER}")
        return faults

    def faults_of_tables(self) -> list[str]:
        if not self.unwalled:
            return []
        return [
            f"row-level security is not enabled and forced on {', '.join(self.unwalled)}: "
            "ALTER TABLE … ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY"
        ]


async def read_standing(connection: "asyncpg.Connection[asyncpg.Record]") -> Standing:
    """How `connection` stands to the wall, at this moment."""
    found = await connection.fetchrow(STANDING, list(PAST_THE_WALL))
    assert found is not None, "a session has a role"
    return Standing(**dict(found))
