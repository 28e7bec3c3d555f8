"""Whether the record of what was done is what was written."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import UUID

from services.training.audit.chain import ENTRIES, Broken, Head, Walk
from services.training.commands.checks.verdict import Verdict, failed, well
from shared.canonical import digest_of_json

if TYPE_CHECKING:
    import asyncpg

    Connection = asyncpg.Connection[asyncpg.Record]

CHECK: Final = "audit log"
TOLD_EVERY: Final = 100_000
AT_ONCE: Final = 1_000
CHAINS: Final = "SELECT tenant_id, seq, hash FROM audit_chains()"
AS_TENANT: Final = "SELECT set_config('app.tenant_id', $1, true)"
ERASED: Final = """
SELECT erased_among(ARRAY(
  SELECT DISTINCT coalesce(concerns, tenant_id) FROM audit_log WHERE tenant_id = $1 AND salt IS NULL
))
"""

Heads = Mapping[UUID, Head]


class HeadsRefused(Exception):
    """A file that holds no heads."""


def silent(_: str) -> None:
    """Nobody waits for it."""


async def check_record(
    connection: "Connection",
    known: Heads | None = None,
    say: Callable[[str], None] = silent,
    say_every: int = TOLD_EVERY,
) -> Verdict:
    """Every chain, entry by entry, at one moment; the first that is broken is named. `known` are
    heads of earlier, which were kept where nobody of this database can change them."""
    known = known or {}
    heads: dict[UUID, Head] = {}
    count = 0
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        chains = await connection.fetch(CHAINS)
        kept = {row["tenant_id"]: _head(row) for row in chains}
        try:
            for chain in sorted(kept.keys() | known.keys()):
                walk = Walk(chain, await _erased(connection, chain), known.get(chain))
                async for row in connection.cursor(ENTRIES, chain, prefetch=AT_ONCE):
                    walk.step(dict(row))
                    count += 1
                    if count % say_every == 0:
                        say(f"audit log: {count} entries are as they were written")
                heads[chain] = walk.end(kept.get(chain))
        except Broken as broken:
            return failed(
                CHECK,
                f"{broken}: somebody changed the database past the service; compare with a backup",
            )
    told = {str(chain): {"seq": head.seq, "hash": head.hash.hex()} for chain, head in heads.items()}
    verdict = well(
        CHECK,
        f"{count} entries in {len(heads)} chains are as they were written; digest of the heads: "
        f"{digest_of_json(told)}",
    )
    return replace(verdict, heads=told)


def read_heads(path: Path) -> Heads:
    """The heads in what an earlier `morrow doctor --json` printed. Raises `HeadsRefused`."""
    try:
        checks = json.loads(path.read_text())["checks"]
        (found,) = (check["heads"] for check in checks if "heads" in check)
        return {
            UUID(chain): Head(int(head["seq"]), bytes.fromhex(head["hash"]))
            for chain, head in found.items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise HeadsRefused(f"{path} is no answer of `morrow doctor --json`: {error}") from None


async def _erased(connection: "Connection", chain: UUID) -> set[UUID]:
    """Be that tenant from now on; those erased whose acts, or whom acts concerned, stand there."""
    await connection.execute(AS_TENANT, str(chain))
    return {row[0] for row in await connection.fetch(ERASED, chain)}


def _head(row: "asyncpg.Record") -> Head | None:
    return None if row["seq"] is None else Head(row["seq"], row["hash"])
