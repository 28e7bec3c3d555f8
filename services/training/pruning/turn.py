"""A tenant's turn: its rows, then the artifacts that these named."""

import structlog

from services.training.pruning.artifacts import sweep_artifacts
from services.training.pruning.sweeps import sweeps_of
from services.training.pruning.terms import Terms
from services.training.queue.periodic import Turn, end_turn
from services.training.queue.pruner import Measure, prune
from shared.artifacts import ArtifactStore
from shared.database import Sessions, tenant_transaction

PRUNING = "pruning"

log = structlog.get_logger()


async def prune_tenant(
    sessions: Sessions, artifacts: ArtifactStore, terms: Terms, turn: Turn
) -> None:
    """Delete what the terms keep no longer, and end the turn with how much that was. Done twice at
    once it deletes the same."""
    gone = await prune(sessions, turn.tenant_id, sweeps_of(terms), Measure())
    gone["artifacts"] = await sweep_artifacts(sessions, artifacts, turn.tenant_id, terms.orphans)
    async with tenant_transaction(sessions, turn.tenant_id) as session:
        await end_turn(session, turn, gone)
    if any(gone.values()):
        log.info("pruned", **gone)
