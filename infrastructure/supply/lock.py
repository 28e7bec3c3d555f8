"""`requirements.lock`, read: every package with its version, hashes, and who asks for it."""

import re
import tomllib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

LOCK = Path("requirements.lock")
PROJECT = Path("pyproject.toml")
PIN = re.compile(r"^([\w.-]+)==([^\s;]+)(?: ; (.+?))? \\$")
HASH = re.compile(r"^    --hash=sha256:([0-9a-f]{64})(?: \\)?$")
ASKED_BY = re.compile(r"^    #(?: via)?(?:\s+(\S.*))?$")


class LockFault(Exception):
    """A line of the lock that is none of those that are known."""


@dataclass(frozen=True, slots=True)
class Locked:
    """One version of one package. `marker` says where it is installed; None: everywhere."""

    name: str
    version: str
    marker: str | None
    hashes: tuple[str, ...]
    asked_by: frozenset[str]


def read_lock(text: str) -> list[Locked]:
    """Every package of the lock, in its order; `LockFault` at a line that cannot be read."""
    starts: list[tuple[str, str, str | None]] = []
    hashes: list[list[str]] = []
    asked_by: list[set[str]] = []
    for number, line in enumerate(text.splitlines(), 1):
        if pin := PIN.match(line):
            starts.append((pin[1], pin[2], pin[3]))
            hashes.append([])
            asked_by.append(set())
        elif starts and (found := HASH.match(line)):
            hashes[-1].append(found[1])
        elif starts and (who := ASKED_BY.match(line)):
            asked_by[-1].update({who[1]} if who[1] else set())
        else:
            raise LockFault(f"line {number} of the lock is no package, hash or comment: {line!r}")
    return [
        Locked(*start, tuple(known), frozenset(names))
        for start, known, names in zip(starts, hashes, asked_by, strict=True)
    ]


def direct_names(project: str) -> frozenset[str]:
    """What the project itself asks for, without its extras; `project` is its pyproject.toml."""
    declared = tomllib.loads(project)["project"]["dependencies"]
    return frozenset(re.split(r"[\[<>=!~; ]", each)[0].lower() for each in declared)


def runtime_part(packages: Iterable[Locked], project: str) -> list[Locked]:
    """What an installation without extras may hold: what the project's dependencies lead to."""
    return part_below(packages, direct_names(project))


def part_below(packages: Iterable[Locked], names: Collection[str]) -> list[Locked]:
    """The packages of these names, and all that they ask for."""
    known = list(packages)
    found: set[str] = set()
    while more := {
        each.name
        for each in known
        if each.name not in found and (each.name in names or each.asked_by & found)
    }:
        found |= more
    return [each for each in known if each.name in found]
