"""What the leading worker did last."""

from typing import TYPE_CHECKING

from services.training.commands.checks.verdict import Verdict, warning, well

if TYPE_CHECKING:
    import asyncpg

CHECK = "periodic work"
HEALTH = """
SELECT name, tenants, failed, extract(epoch FROM now() - last_ended)::int AS seconds
FROM periodic_health()
"""


async def check_periodic(connection: "asyncpg.Connection[asyncpg.Record]") -> Verdict:
    """When each kind was last done, and for how many tenants it failed last."""
    works = await connection.fetch(HEALTH)
    if not works:
        return well(CHECK, "none was done yet: a worker that runs does the first when it is due")
    told = "; ".join(
        f"{work['name']} {work['seconds']} s ago, of {work['tenants']} tenants" for work in works
    )
    failing = [f"{work['name']} for {work['failed']}" for work in works if work["failed"]]
    if failing:
        named = ", ".join(failing)
        return warning(CHECK, f"{told}; failed last: {named}: see the leading worker's log")
    return well(CHECK, told)
