"""Whether the service's roles can see no tenant but the one they name."""

from typing import TYPE_CHECKING

from services.training.commands.checks.verdict import Verdict, failed, warning, well
from shared.standing import read_standing

if TYPE_CHECKING:
    import asyncpg

    Connection = asyncpg.Connection[asyncpg.Record]


async def check_role(connection: "Connection") -> Verdict:
    """The role that the connection acts as: it must be subject to row-level security."""
    standing = await read_standing(connection)
    role = check = standing.role
    faults = standing.faults_of_role()
    if faults:
        return failed(check, "; ".join(faults))
    if standing.login_sees_all:
        return warning(
            check,
            f"the login {standing.login} sees every tenant and only steps down to {role}: "
            f"give the service a login of its own, {role}",
        )
    return well(check, f"{role} is subject to row-level security and owns no table")


async def check_walls(connection: "Connection") -> Verdict:
    """Every table that belongs to tenants has row-level security, also against its owner."""
    standing = await read_standing(connection)
    faults = standing.faults_of_tables()
    if faults:
        return failed("tenant walls", "; ".join(faults))
    return well(
        "tenant walls", f"row-level security is forced on all {standing.of_tenants} tenant tables"
    )
