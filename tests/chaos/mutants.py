"""Copies of the service with one guard taken out: every one of them must fail the run."""

import shutil
from dataclasses import dataclass
from pathlib import Path

SOURCES = ("services", "shared", "migrations", "tests")


@dataclass(frozen=True, slots=True)
class Mutant:
    """`guard` is replaced by `gap` in the file at `path`."""

    path: str
    guard: str
    gap: str


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


class GuardNotFound(Exception):
    """The code has changed: the mutant must follow it."""


def mutated_tree(root: Path, folder: Path, name: str) -> Path:
    """A copy of the sources at `root` in `folder`, without the guard that the mutant names."""
    mutant = MUTANTS[name]
    for source in SOURCES:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(root / source, folder / source, ignore=ignored)
    path = folder / mutant.path
    before = path.read_text()
    if before.count(mutant.guard) != 1:
        raise GuardNotFound(f"{mutant.path} has the guard of {name} not once: see {__file__}")
    path.write_text(before.replace(mutant.guard, mutant.gap))
    return folder
