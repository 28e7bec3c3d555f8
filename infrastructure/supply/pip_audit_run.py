"""pip-audit, run over versions: which of them the index knew, and what it knows against them.

By itself pip-audit says "no known vulnerabilities" of what it could not look up; here that is told.
"""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import BaseModel, ValidationError

TIMEOUT_SECONDS = 5


@dataclass(frozen=True, slots=True, order=True)
class Version:
    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


@dataclass(frozen=True, slots=True)
class Fault:
    """A known fault of a version. `ids` are all its names, the main one first."""

    of: Version
    ids: tuple[str, ...]
    mended_in: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Looked:
    """What came of looking versions up. `missing` has the reason for each that was not."""

    up: frozenset[Version]
    missing: dict[Version, str]
    faults: tuple[Fault, ...]


class _ToldFault(BaseModel):
    id: str
    aliases: list[str]
    fix_versions: list[str]


class _Told(BaseModel):
    name: str
    version: str | None = None
    skip_reason: str | None = None
    vulns: list[_ToldFault] = []


class _Report(BaseModel):
    dependencies: list[_Told]


def look_up(versions: Sequence[Version], cache: Path | None = None) -> Looked:
    """Ask about each of `versions`, several of one package in turns. pip-audit keeps its answers
    for a while in `cache`, else where pip keeps its own."""
    up: set[Version] = set()
    missing: dict[Version, str] = {}
    faults: list[Fault] = []
    for turn in _turns(versions):
        told, last_word = _run(turn, cache)
        for each in turn:
            found = told.get(each.name)
            if found is not None and found.version == each.version:
                up.add(each)
                faults.extend(
                    Fault(each, (fault.id, *fault.aliases), tuple(fault.fix_versions))
                    for fault in found.vulns
                )
            else:
                missing[each] = (found and found.skip_reason) or last_word
    return Looked(frozenset(up), missing, tuple(faults))


def _turns(versions: Sequence[Version]) -> list[list[Version]]:
    """pip-audit takes one version of a package at a time."""
    turns: list[dict[str, Version]] = []
    for each in versions:
        free = next((turn for turn in turns if each.name not in turn), None)
        if free is None:
            turns.append(free := {})
        free[each.name] = each
    return [list(turn.values()) for turn in turns]


def _run(versions: list[Version], cache: Path | None) -> tuple[dict[str, _Told], str]:
    """What pip-audit says of each package, by name, and its last word."""
    with TemporaryDirectory() as folder:
        asked = Path(folder, "requirements.txt")
        asked.write_text("".join(f"{each.name}=={each.version}\n" for each in versions))
        ran = subprocess.run(  # noqa: S603 - this interpreter, and a list of the lock's versions
            [
                *(sys.executable, "-m", "pip_audit", "--requirement", str(asked)),
                *("--no-deps", "--disable-pip", "--progress-spinner", "off"),
                *("--format", "json", "--timeout", str(TIMEOUT_SECONDS)),
                *(("--cache-dir", str(cache)) if cache else ()),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
    last_word = (ran.stderr.strip().splitlines() or [f"pip-audit ended with {ran.returncode}"])[-1]
    try:
        report = _Report.model_validate_json(ran.stdout)
    except ValidationError:  # it says why on stderr, and reports nothing
        return {}, last_word
    return {each.name: each for each in report.dependencies}, last_word
