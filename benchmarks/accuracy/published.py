"""What peers have scored by this protocol, as kept beside the data sets."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from benchmarks.real_data import DATA

PEERS = DATA.parent / "accuracy" / "peers.csv"
DEFAULT_PROPHET = "prophet"
SAME_WEEKDAY_MEAN = "dow4"
_COMBINATION = "c_"
_KNOWS_THE_FUTURE = "oracle"


class PeersAbsent(LookupError):
    """The file of the peers' scores is not where it was looked for."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"no peers' scores at {path}: put peers.csv there, or name its place")
        self.path = path


@dataclass(frozen=True, slots=True, eq=False)
class Published:
    """`table`: dataset, method, metric, value, n_series; only methods that ran on every series."""

    table: pd.DataFrame

    @property
    def data_sets(self) -> list[str]:
        return sorted(self.table["dataset"].unique())

    def value(self, data_set: str, method: str, metric: str) -> float:
        """NaN where this method was not run."""
        chosen = self._of(data_set, metric)
        found = chosen.loc[chosen["method"] == method, "value"]
        return float(found.iloc[0]) if len(found) else float("nan")

    def best_single(self, data_set: str, metric: str) -> tuple[str, float]:
        """The best method of a set in hindsight: no mean of methods, none that knows the future."""
        chosen = self._of(data_set, metric)
        combined = chosen["method"].str.startswith(_COMBINATION)
        single = chosen[~combined & ~chosen["method"].str.contains(_KNOWS_THE_FUTURE)]
        best = single.loc[single["value"].idxmin()]
        return str(best["method"]), float(best["value"])

    def _of(self, data_set: str, metric: str) -> pd.DataFrame:
        rows = self.table
        return rows[(rows["dataset"] == data_set) & (rows["metric"] == metric)]


def read_published(path: Path = PEERS) -> Published:
    """The peers' scores; raises `PeersAbsent`."""
    if not path.is_file():
        raise PeersAbsent(path)
    table = pd.read_csv(path)
    every = table.groupby("dataset")["n_series"].transform("max")
    return Published(table[table["n_series"] == every])
