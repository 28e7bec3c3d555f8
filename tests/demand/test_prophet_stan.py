"""Prophet's own optimiser stays selectable, agrees with ours and leaves no trace."""

from __future__ import annotations

import logging
import subprocess
import sys
import tempfile
from pathlib import Path

import cmdstanpy
import numpy as np
import pytest

from services.training.demand.features import prepare
from services.training.demand.model import PosedDesign, UnfittedProphet
from services.training.demand.prophet_stan import fit_with_stan
from services.training.demand.train import Trained, TrainingConfig, train
from tests.demand.made_series import bakery_series

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:prophet")

BOTH = {"promo": (8.0, True), "rain": (3.0, False)}


@pytest.mark.parametrize("mode", ["additive", "multiplicative"])
def test_both_backends_give_the_same_forecast(mode: str) -> None:
    posed = PosedDesign(prepare(bakery_series(days=420, regressors=BOTH)))
    unfitted = UnfittedProphet(seasonality_mode=mode)  # type: ignore[arg-type]
    ours, stans = unfitted.fit(posed), fit_with_stan(unfitted, posed)
    assert ours.fit.negative_log_posterior <= stans.fit.negative_log_posterior + 1e-6
    # Stan's optimiser stops up to a quarter of a nat above our maximum.
    assert ours.fit.negative_log_posterior > stans.fit.negative_log_posterior - 0.5
    np.testing.assert_allclose(stans.predict().mean, ours.predict().mean, rtol=0.03)
    assert set(stans.parts()) == set(ours.parts())


def test_a_training_can_ask_for_stan() -> None:
    series = bakery_series(days=120)
    config = TrainingConfig(max_trials=1, search_folds=1, contest_folds=1, backend="stan")
    result = train(series, config)
    assert isinstance(result, Trained)
    ours = train(series, TrainingConfig(max_trials=1, search_folds=1, contest_folds=1))
    assert isinstance(ours, Trained)
    np.testing.assert_allclose(result.forecast["mean"], ours.forecast["mean"], rtol=0.1)


def test_fitting_leaves_no_file_and_says_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    posed = PosedDesign(prepare(bakery_series(days=60)))
    before = set(Path(cmdstanpy._TMPDIR).iterdir())
    with caplog.at_level(logging.INFO):
        fit_with_stan(UnfittedProphet(), posed)
    assert list(tmp_path.iterdir()) == []
    assert set(Path(cmdstanpy._TMPDIR).iterdir()) == before
    assert not [record for record in caplog.records if record.name.startswith("cmdstanpy")]


def test_a_training_of_ours_never_imports_prophet_and_prints_nothing() -> None:
    program = (
        "import sys\n"
        "from services.training.demand.train import TrainingConfig, train\n"
        "from tests.demand.made_series import bakery_series\n"
        "result = train(bakery_series(days=400), TrainingConfig(max_trials=2))\n"
        "assert result.family == 'prophet', result\n"
        "assert not {'prophet', 'cmdstanpy', 'matplotlib'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
