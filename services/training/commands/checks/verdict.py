"""What a check found."""

from dataclasses import asdict, dataclass
from enum import StrEnum


class Health(StrEnum):
    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`message` says what is so, and where it is not well, what to do."""

    check: str
    health: Health
    message: str

    def as_json(self) -> dict[str, str]:
        return asdict(self)


def well(check: str, message: str) -> Verdict:
    return Verdict(check, Health.OK, message)


def warning(check: str, message: str) -> Verdict:
    return Verdict(check, Health.WARNING, message)


def failed(check: str, message: str) -> Verdict:
    return Verdict(check, Health.FAILED, message)


def skipped(check: str, because: str) -> Verdict:
    return Verdict(check, Health.SKIPPED, f"not looked at: {because}")
