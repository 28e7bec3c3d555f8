"""The solver as a backend of Prophet: `MapProphet` is `prophet.Prophet`, fitted without Stan."""

from enum import StrEnum
from typing import Any

import numpy as np
from prophet import Prophet
from prophet.models import CmdStanPyBackend, IStanBackend, ModelInputData, TrendIndicator

from services.training.demand.prophet_map.design import FloatArray, Growth, make_design
from services.training.demand.prophet_map.errors import NotSupportedError
from services.training.demand.prophet_map.fit import MapFit
from services.training.demand.prophet_map.posterior import make_priors
from services.training.demand.prophet_map.solve import solve

_GROWTH = {TrendIndicator.LINEAR: Growth.LINEAR, TrendIndicator.FLAT: Growth.FLAT}

# Prophet hands its backends untyped dictionaries; the signatures below are its own.
Untyped = dict[str, Any]


class BackendName(StrEnum):
    """What `MapProphet(stan_backend=...)` takes."""

    MAP = "MAP"
    MAP_OR_STAN = "MAP_OR_STAN"
    STAN = "CMDSTANPY"


class MapBackend(IStanBackend):
    """Fits linear and flat growth by `solve`; raises NotSupportedError for everything else.

    After a fit `answered_by` says who made it, and `stan_fit` (of the backend and of the model) is
    the MapFit when it was this solver.
    """

    def __init__(self) -> None:
        super().__init__()
        self.answered_by: BackendName | None = None

    @staticmethod
    def get_type() -> str:
        return BackendName.MAP.value

    def load_model(self) -> None:
        """Nothing to load: there is no program."""

    def fit(self, stan_init: Untyped, stan_data: Untyped, **kwargs: Any) -> Untyped:
        """Prophet's parameters at the maximum, each of shape (1, length)."""
        feature = _beyond(stan_data, kwargs)
        if feature is not None:
            return self._elsewhere(NotSupportedError(feature)).fit(stan_init, stan_data, **kwargs)
        fit = _solve(ModelInputData(**stan_data))
        self.stan_fit = fit
        self.answered_by = BackendName.MAP
        return _parameters(fit)

    def sampling(
        self, stan_init: Untyped, stan_data: Untyped, samples: int, **kwargs: Any
    ) -> Untyped:
        """Not this solver's business."""
        stan = self._elsewhere(NotSupportedError("MCMC sampling"))
        return stan.sampling(stan_init, stan_data, samples, **kwargs)

    def _elsewhere(self, refusal: NotSupportedError) -> IStanBackend:
        raise refusal


class MapOrStanBackend(MapBackend):
    """As MapBackend, but what it does not solve goes to Prophet's own backend, visibly."""

    def __init__(self) -> None:
        super().__init__()
        self._stan: IStanBackend | None = None

    @staticmethod
    def get_type() -> str:
        return BackendName.MAP_OR_STAN.value

    def fit(self, stan_init: Untyped, stan_data: Untyped, **kwargs: Any) -> Untyped:
        return self._adopt(super().fit(stan_init, stan_data, **kwargs))

    def sampling(
        self, stan_init: Untyped, stan_data: Untyped, samples: int, **kwargs: Any
    ) -> Untyped:
        return self._adopt(super().sampling(stan_init, stan_data, samples, **kwargs))

    def cleanup(self) -> None:
        if self._stan is not None:
            self._stan.cleanup()

    def _elsewhere(self, refusal: NotSupportedError) -> IStanBackend:
        self._stan = CmdStanPyBackend()
        self._stan.set_options(newton_fallback=self.newton_fallback)
        self.answered_by = BackendName.STAN
        return self._stan

    def _adopt(self, parameters: Untyped) -> Untyped:
        if self.answered_by is BackendName.STAN and self._stan is not None:
            self.stan_fit = self._stan.stan_fit
        return parameters


class MapProphet(Prophet):
    """Prophet whose `stan_backend` is a BackendName; by default MAP_OR_STAN.

    Everything else, predictions, plots, cross-validation and serialisation, is Prophet's own code.
    """

    def _load_stan_backend(self, stan_backend: str | None) -> None:
        match BackendName(stan_backend or BackendName.MAP_OR_STAN):
            case BackendName.MAP:
                self.stan_backend = MapBackend()
            case BackendName.MAP_OR_STAN:
                self.stan_backend = MapOrStanBackend()
            case BackendName.STAN:
                super()._load_stan_backend(stan_backend)


def _beyond(data: Untyped, options: Untyped) -> str | None:
    """What of this request the solver does not do, if anything."""
    growth = TrendIndicator(data["trend_indicator"])
    if growth not in _GROWTH:
        return f"{growth.name.lower()} growth"
    return f"fit option {min(options)!r}" if options else None


def _solve(data: ModelInputData) -> MapFit:
    growth = _GROWTH[TrendIndicator(data.trend_indicator)]
    design = make_design(data.t, data.y, np.asarray(data.X), data.t_change, growth)
    added, multiplied = np.asarray(data.s_a) > 0, np.asarray(data.s_m) > 0
    # A feature in neither mode is Prophet's placeholder for "no features"; it acts on nothing.
    scales = np.where(added | multiplied, np.asarray(data.sigmas, dtype=np.float64), 0.0)
    return solve(design, make_priors(data.tau, scales), multiplied)


def _parameters(fit: MapFit) -> Untyped:
    columns: dict[str, FloatArray | float] = {
        "lp__": -fit.negative_log_posterior,
        "k": fit.k,
        "m": fit.m,
        "delta": fit.delta,
        "sigma_obs": fit.sigma,
        "beta": fit.beta,
    }
    return {name: np.asarray(value).reshape(1, -1) for name, value in columns.items()}
