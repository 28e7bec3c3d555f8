"""Copies of the service with one guard taken out: every one of them must fail the run."""

from tests.mutants import Mutant

QUEUE = "services/training/queue"
MUTANTS = {
    "fence_off": Mutant(
        f"{QUEUE}/finish.py",
        """            tables.Task.fence == claim.fence,
            tables.Task.state == State.RUNNING.value,
        )
        .values(**values)""",
        """        )
        .values(**values)""",
    ),
    "lease_not_renewed": Mutant(
        f"{QUEUE}/lifeline.py",
        "kept = await renew_leases(self._engine, claims, self.terms.length)",
        "kept = frozenset(claims)",
    ),
    "unlock_unchecked": Mutant(
        f"{QUEUE}/locks.py",
        "                return await _ask(connection, UNLOCK, name)",
        """                astray = await self._connect()
                await _ask(astray, UNLOCK, name)
                await astray.close()
                return True""",
    ),
}
