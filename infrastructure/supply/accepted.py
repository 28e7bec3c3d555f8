"""Known faults that are lived with for a while: each with its reason, and a day when that ends."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from infrastructure.supply.pip_audit_run import Fault

ACCEPTED = Path(__file__).with_name("accepted.toml")


@dataclass(frozen=True, slots=True)
class Accepted:
    id: str
    package: str
    reason: str
    until: date

    def __post_init__(self) -> None:
        if not self.reason.strip():
            raise ValueError(f"{self.id} of {self.package} is accepted without a reason")

    def fits(self, fault: Fault) -> bool:
        return self.id in fault.ids and self.package == fault.of.name


def read_accepted(text: str) -> list[Accepted]:
    """The entries of `[[accepted]]`; `TypeError` where one lacks a field or has another."""
    return [Accepted(**entry) for entry in tomllib.loads(text).get("accepted", [])]


def unaccepted(
    faults: Iterable[Fault], accepted: Iterable[Accepted], today: date
) -> tuple[list[Fault], list[Accepted]]:
    """The faults that count `today`, and the entries that fit none of them."""
    known, entries = list(faults), list(accepted)
    counting = [
        fault
        for fault in known
        if not any(entry.fits(fault) and today < entry.until for entry in entries)
    ]
    idle = [entry for entry in entries if not any(entry.fits(fault) for fault in known)]
    return counting, idle
