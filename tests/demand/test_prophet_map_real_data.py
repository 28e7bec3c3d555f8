"""On real sales our negative log posterior is never above Stan's.

A sample of every data set; MORROW_TEST_EVERY_SERIES=1 takes every series of every one of them.
"""

import os
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest

from benchmarks.real_data import DATA_SETS, DataSetAbsent, read_tenant
from services.training.demand.prophet_map import Growth, make_design, make_priors, solve
from services.training.demand.prophet_map.history import fourier, scale_history
from tests.demand.stan_oracle import Case, stan_optimum

EVERY_SERIES = os.environ.get("MORROW_TEST_EVERY_SERIES") == "1"
SAMPLED = 2
YEARLY_FROM_DAYS = 330


@pytest.mark.parametrize("factor", [False, True], ids=["additive", "multiplicative"])
@pytest.mark.parametrize("name", DATA_SETS)
@pytest.mark.timeout(3600)
def test_the_posterior_is_never_below_stans(name: str, factor: bool) -> None:
    above = {}
    for series, history in histories(name):
        case = case_of(history, factor)
        ours = solve(case.design, case.priors, case.multiplicative)
        lp = 0.0 if ours.reproduces_history else stan_optimum(case).lp
        if ours.negative_log_posterior > -lp + 1e-6 * max(1.0, abs(lp)):
            above[series] = (ours.negative_log_posterior, -lp)
    assert above == {}


def histories(name: str) -> Iterator[tuple[tuple[str, str], pd.Series]]:
    """Known, not constant days of each series, of at least a fortnight."""
    try:
        sales = read_tenant(name).sales.dropna(subset="quantity")
    except DataSetAbsent as absent:
        pytest.skip(str(absent))
    found = sales.groupby(["location", "product"])["quantity"]
    usable = [key for key, values in found if len(values) >= 14 and values.nunique() > 1]
    step = 1 if EVERY_SERIES else max(1, len(usable) // SAMPLED)
    for key in usable[::step]:
        rows = sales[(sales["location"] == key[0]) & (sales["product"] == key[1])]
        yield key, rows.groupby("date")["quantity"].sum()


def case_of(history: pd.Series, factor: bool) -> Case:
    """Prophet's default model of daily sales, with a yearly term from about one year on."""
    dates = history.index.to_numpy()
    scaled = scale_history(dates, history.to_numpy(dtype=np.float64))
    features = fourier(dates, 7, 3)
    if scaled.span >= np.timedelta64(YEARLY_FROM_DAYS, "D"):
        features = np.hstack([fourier(dates, 365.25, 10), features])
    design = make_design(scaled.t, scaled.y, features, scaled.changepoints, Growth.LINEAR)
    count = features.shape[1]
    return Case(design, make_priors(0.05, np.full(count, 10.0)), np.full(count, factor))
