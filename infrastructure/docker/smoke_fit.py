"""Whether what is installed can do the work: a last step of the image's build.

    python -m infrastructure.docker.smoke_fit [EXTRA …]

Trains a product by the own solver, by Prophet's Stan program and across products by LightGBM, asks
PostgreSQL's programs who they are, and loads the API, and what the extras bring. So a library that
the base lacks, or a file that was left out, ends the build and not a training. Writes below the
temporary folder alone.
"""

import subprocess
import sys
from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd

from services.training.demand.config import Backend, Family, TrainingConfig
from services.training.demand.outcome import Refused
from services.training.demand.pooled.pools import fit_pools
from services.training.demand.series import Series
from services.training.demand.train import train
from shared.postgres.binaries import find_binaries

HORIZON: Final = 14
DAYS: Final = 200
LEVELS: Final = (40.0, 60.0, 80.0)
RHYTHM: Final = np.array([0.8, 0.9, 1.0, 1.0, 1.2, 1.4, 0.7])
NEEDED_PROGRAMS: Final = ("postgres", "pg_dump", "pg_restore")
MODULES_OF: Final = {"ray": ("ray", "ray.util.client")}


class SmokeFault(Exception):
    """What is installed does not do its work; the message says which part."""


def made_series(level: float) -> Series:
    """A product with a weekly rhythm around `level` and the same noise each time."""
    index = pd.date_range("2026-01-05", periods=DAYS + HORIZON, name="date")
    noise = np.random.default_rng(int(level)).normal(0.0, level / 20, len(index))
    sold = level * RHYTHM[index.day_of_week.to_numpy()] + noise
    frame = pd.DataFrame({"quantity": sold, "open": True, "stockout": False}, index=index)
    plan = frame.iloc[DAYS:].drop(columns=["quantity", "stockout"])
    return Series(f"product {level:g}", "main", "DE", None, frame.iloc[:DAYS], plan)


def fits() -> None:
    """Both fitters of Prophet, and the pool; `SmokeFault` unless each forecasts the rhythm."""
    series = [made_series(level) for level in LEVELS]
    for backend in Backend:
        _train(series[0], f"Prophet by {backend}", Family.PROPHET, backend)
    shared = TrainingConfig(horizon_days=HORIZON, search_folds=1, contest_folds=1)
    if not fit_pools(series, shared).to_bytes():
        raise SmokeFault("the pool is empty")


def _train(series: Series, what: str, family: Family, backend: Backend) -> None:
    config = TrainingConfig(
        horizon_days=HORIZON,
        max_trials=1,
        families=(family,),
        search_folds=1,
        contest_folds=1,
        backend=backend,
    )
    trained = train(series, config)
    if isinstance(trained, Refused):
        raise SmokeFault(f"{what}: {trained.code}: {trained.message}")
    means = trained.forecast["mean"].to_numpy()
    expected = LEVELS[0] * RHYTHM[series.plan.index.to_series().dt.day_of_week.to_numpy()]
    furthest = float(np.abs(means / expected - 1).max())
    if not furthest < 0.25:
        raise SmokeFault(f"{what}: a day is forecast {furthest:.0%} off what was sown")


def programs() -> None:
    """The database's programs, for backups and for `morrow up`."""
    folder = find_binaries().folder
    for name in NEEDED_PROGRAMS:
        asked = [str(folder / name), "--version"]
        said = subprocess.run(  # noqa: S603 - a program of the installation, by its full path
            asked, capture_output=True, text=True, check=False
        )
        if said.returncode != 0:
            raise SmokeFault(f"{name}: {said.stderr.strip()}")


def loads(module: str) -> None:
    """In a process of its own: what is loaded here already would hide that it cannot be."""
    asked = [sys.executable, "-c", f"import {module}"]
    if subprocess.run(asked, check=False).returncode != 0:  # noqa: S603 - a name from above
        raise SmokeFault(f"{module} cannot be loaded")


def main(extras: Sequence[str]) -> int:
    fits()
    programs()
    for module in (
        "services.training.app",
        *(name for each in extras for name in MODULES_OF[each]),
    ):
        loads(module)
    print("trained by each of its fitters; PostgreSQL's programs and the API answer")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
