"""One measured number: what it is of, and how many of these it comes from."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """`of` so many it was measured; `how` in a few words."""

    value: float
    unit: str
    of: int
    how: str

    def told(self) -> dict[str, object]:
        return asdict(self) | {"value": float(f"{self.value:.4g}")}
