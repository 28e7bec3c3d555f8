"""What a check found."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum


class Health(StrEnum):
    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`message` says what is so, and where it is not well, what to do. `heads`: of the chains of
    the audit log, to be kept elsewhere."""

    check: str
    health: Health
    message: str
    heads: Mapping[str, Mapping[str, object]] | None = None

    def as_json(self) -> dict[str, object]:
        return {name: value for name, value in asdict(self).items() if value is not None}


def well(check: str, message: str) -> Verdict:
    return Verdict(check, Health.OK, message)


def warning(check: str, message: str) -> Verdict:
    return Verdict(check, Health.WARNING, message)


def failed(check: str, message: str) -> Verdict:
    return Verdict(check, Health.FAILED, message)


def skipped(check: str, because: str) -> Verdict:
    return Verdict(check, Health.SKIPPED, f"not looked at: {because}")
