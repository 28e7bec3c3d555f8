"""Whether anything is known against what the lock names: `make audit`, and part of `make lint`.

Who cannot reach an index that knows of faults is told so loudly and may go on; with `--required`,
or `MORROW_AUDIT=required`, that fails too.
"""

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from infrastructure.supply.accepted import ACCEPTED, Accepted, read_accepted, unaccepted
from infrastructure.supply.lock import LOCK, read_lock
from infrastructure.supply.pip_audit_run import Fault, Looked, Version, look_up

KNOWN_BAD = Version("pyyaml", "5.3")
"""A version with a fault that everybody knows (CVE-2020-14343): who says nothing against it, as a
mirror of packages does, says nothing of anything."""

FIRST = 3


@dataclass(frozen=True, slots=True)
class Verdict:
    passed: bool
    lines: tuple[str, ...]


def audit(
    versions: Sequence[Version],
    accepted: Sequence[Accepted],
    today: date,
    required: bool,
    look_up: Callable[[Sequence[Version]], Looked] = look_up,
) -> Verdict:
    """Ask first about a version that is known to be bad and a few of ours; where the index knows
    of the former's faults, about all of ours."""
    few = [each for each in versions if each != KNOWN_BAD][:FIRST]
    first = look_up([KNOWN_BAD, *few])
    if any(fault.of == KNOWN_BAD for fault in first.faults):
        return _judged(versions, look_up(versions), accepted, today)
    if KNOWN_BAD in first.missing and first.up:
        found = ", ".join(str(each) for each in sorted(first.up))
        why = first.missing[KNOWN_BAD]
        return Verdict(False, (f"audit: {found} were looked up, but {KNOWN_BAD} was not: {why}",))
    why = first.missing.get(KNOWN_BAD, f"it knows of no fault of {KNOWN_BAD}")
    return _nothing_audited(len(versions), why, required)


def _nothing_audited(count: int, why: str, required: bool) -> Verdict:
    loud = f"!!! NOTHING WAS AUDITED: the index says nothing of {count} locked packages ({why})"
    way_out = "" if required else ". `make audit` and MORROW_AUDIT=required fail on this"
    return Verdict(not required, (loud + way_out,))


def _judged(
    versions: Sequence[Version], looked: Looked, accepted: Sequence[Accepted], today: date
) -> Verdict:
    counting, idle = unaccepted(looked.faults, accepted, today)
    lines = [_told(fault) for fault in counting]
    lines += [f"audit: {each} was not looked up: {why}" for each, why in looked.missing.items()]
    if not looked.missing:
        lines += [
            f"audit: {each.id} of {each.package}, accepted, is gone: drop it" for each in idle
        ]
    looked_up = f"{len(looked.up)} of {len(versions)} locked packages were looked up"
    return Verdict(not lines, (*lines, f"audit: {looked_up}, {len(counting)} faults count"))


def _told(fault: Fault) -> str:
    mended_in = ", ".join(fault.mended_in) or "no version yet"
    return f"audit: {fault.of} is known to be faulty: {' '.join(fault.ids)}; mended in {mended_in}"


def main(arguments: Sequence[str]) -> int:
    asked = os.environ.get("MORROW_AUDIT", "")
    if asked not in {"", "required"} or set(arguments) - {"--required"}:
        print("audit: takes --required; MORROW_AUDIT is 'required' or not set", file=sys.stderr)
        return 2
    versions = [Version(each.name, each.version) for each in read_lock(LOCK.read_text())]
    accepted = read_accepted(ACCEPTED.read_text())
    required = bool(asked or arguments)
    verdict = audit(versions, accepted, date.today(), required)
    print(*verdict.lines, sep="\n", file=sys.stderr)
    return 0 if verdict.passed else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
