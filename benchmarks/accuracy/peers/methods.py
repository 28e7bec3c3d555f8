"""The peers as methods: a tenant's series into files, one program, its answers back."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.accuracy.peers.environment import interpreter, single_threaded
from benchmarks.accuracy.protocol import Method
from benchmarks.accuracy.regular import regular_sales
from services.training.demand.prediction import LEVELS, Prediction
from services.training.demand.series import Series

PROGRAM = Path(__file__).with_name("forecast.py")
STATISTICAL = ("autoets", "autoces", "dot", "crostonsba", "tsb")
POOLED = ("lightgbm",)


def peer_methods() -> dict[str, Method]:
    """Every peer by name."""
    return {name: partial(_forecast, name) for name in STATISTICAL + POOLED}


def _forecast(method: str, series: Sequence[Series], seed: int) -> list[Prediction]:
    with tempfile.TemporaryDirectory(prefix="morrow-peers-") as name:
        folder = Path(name)
        sales = [_sales(one, number, method) for number, one in enumerate(series)]
        plans = [_named(one.plan, number) for number, one in enumerate(series)]
        pd.concat(sales, ignore_index=True).to_parquet(folder / "sales.parquet")
        pd.concat(plans, ignore_index=True).to_parquet(folder / "plan.parquet")
        (folder / "levels.json").write_text(json.dumps(LEVELS))
        command = [str(interpreter()), str(PROGRAM), method, str(folder)]
        subprocess.run(  # noqa: S603 - our own program
            command, check=True, env=single_threaded(), stdout=subprocess.DEVNULL
        )
        answers = pd.read_parquet(folder / "quantiles.parquet")
    by_series = dict(list(answers.groupby("series")))
    return [_prediction(by_series[number]) for number in range(len(series))]


def _sales(series: Series, number: int, method: str) -> pd.DataFrame:
    history = series.history.drop(columns=["stockout"])
    if method in STATISTICAL:
        history = history[["quantity"]].assign(quantity=regular_sales(series))
    return _named(history, number)


def _named(frame: pd.DataFrame, number: int) -> pd.DataFrame:
    columns = frame.assign(open=frame["open"].astype("float64")) if "open" in frame else frame
    return columns.rename_axis("date").reset_index().assign(series=number)


def _prediction(answer: pd.DataFrame) -> Prediction:
    ordered = answer.sort_values("date")
    quantiles = ordered[[str(level) for level in LEVELS]].to_numpy(dtype=np.float64)
    return Prediction(ordered["mean"].to_numpy(dtype=np.float64), quantiles)
