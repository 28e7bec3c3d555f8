"""Where the search looks for Prophet's parameters."""

from __future__ import annotations

from dataclasses import fields
from typing import Final

from services.training.demand.classification import DemandClass, demand_class
from services.training.demand.features import Design
from services.training.demand.model import UnfittedProphet
from services.training.demand.prophet_terms import covers_a_year
from services.training.demand.search import Choice, Parameters, Range, Space

_PARAMETERS: Final = frozenset(field.name for field in fields(UnfittedProphet))
_ALWAYS: Final[Space] = {
    "changepoint_prior_scale": Range(0.005, 0.5, grid=(0.01, 0.05, 0.25)),
    "seasonality_prior_scale": Range(0.01, 1.0, grid=(0.03, 0.1)),
}
_WITH_STEADY_DEMAND: Final[Space] = {
    "seasonality_mode": Choice(("additive", "multiplicative")),
}
_WITH_EFFECTS: Final[Space] = {
    "holidays_prior_scale": Range(0.01, 3.0, grid=(0.05, 0.3)),
}
_WITH_PAST_ONLY: Final[Space] = {
    "past_only_regressors": Choice((False, True)),
}
_WITH_A_YEAR: Final[Space] = {
    "yearly_prior_scale": Range(0.005, 1.0, grid=(0.05, 0.3)),
}


def space_for(design: Design) -> Space:
    """Only the parameters that change anything on this design."""
    space = dict(_ALWAYS)
    if _sells_most_days(design):
        space |= _WITH_STEADY_DEMAND
    if design.holidays or design.regressors:
        space |= _WITH_EFFECTS
    if any(not regressor.planned for regressor in design.regressors):
        space |= _WITH_PAST_ONLY
    if covers_a_year(design):
        space |= _WITH_A_YEAR
    return space


def to_point(unfitted: UnfittedProphet, space: Space) -> Parameters:
    """The model's parameters as a point of the space."""
    return {name: getattr(unfitted, name) for name in space}


def from_point(point: Parameters) -> UnfittedProphet:
    """The model at a point; what the space leaves out keeps its default."""
    return from_params(dict(point))


def from_params(params: dict[str, object]) -> UnfittedProphet:
    """The model of these parameters, those not named at their default."""
    unknown = params.keys() - _PARAMETERS
    if unknown:
        raise ValueError(f"Prophet has no parameters {sorted(unknown)}")
    return UnfittedProphet(**params)  # type: ignore[arg-type]


def _sells_most_days(design: Design) -> bool:
    """A factor on a trend close to zero does nothing for years, and then anything."""
    return demand_class(design.demand) in (DemandClass.SMOOTH, DemandClass.ERRATIC)
