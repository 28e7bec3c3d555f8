"""Copies of the sources with a guard taken out: what is tested must fail on every one of them."""

import shutil
from dataclasses import dataclass
from pathlib import Path

SOURCES = ("services", "shared", "migrations", "client", "tests")


@dataclass(frozen=True, slots=True)
class Mutant:
    """`guard` is replaced by `gap` in the file at `path`."""

    path: str
    guard: str
    gap: str


class GuardNotFound(Exception):
    """The code has changed: the mutant must follow it."""


def mutated_tree(root: Path, folder: Path, *mutants: Mutant) -> Path:
    """A copy of the sources at `root` in `folder`, without the guards that the mutants name."""
    for source in SOURCES:
        shutil.copytree(root / source, folder / source)
    for mutant in mutants:
        path = folder / mutant.path
        before = path.read_text()
        if before.count(mutant.guard) != 1:
            raise GuardNotFound(f"{mutant.path} has not once what is to be taken out: {mutant}")
        path.write_text(before.replace(mutant.guard, mutant.gap))
    return folder
