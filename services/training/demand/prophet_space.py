"""Where the search looks for Prophet's parameters."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Final

from services.training.demand.features import Design
from services.training.demand.model import UnfittedProphet, covers_a_year
from services.training.demand.search import Choice, Parameters, Range, Space

_ALWAYS: Final[Space] = {
    "changepoint_prior_scale": Range(0.001, 0.5, grid=(0.005, 0.05, 0.3)),
    "seasonality_prior_scale": Range(0.01, 10.0, grid=(0.1, 10.0)),
    "seasonality_mode": Choice(("additive", "multiplicative")),
}
_WITH_EFFECTS: Final[Space] = {
    "holidays_prior_scale": Range(0.01, 10.0, grid=(0.3, 10.0)),
}
_WITH_PAST_ONLY: Final[Space] = {
    "past_only_regressors": Choice((False, True)),
}
_WITH_A_YEAR: Final[Space] = {
    "yearly_prior_scale": Range(0.01, 10.0, grid=(0.3, 10.0)),
}


def space_for(design: Design) -> Space:
    """Only the parameters that change anything on this design."""
    space = dict(_ALWAYS)
    if len(design.holidays) or design.planned or design.past_only:
        space |= _WITH_EFFECTS
    if design.past_only:
        space |= _WITH_PAST_ONLY
    if covers_a_year(design.past):
        space |= _WITH_A_YEAR
    return space


def to_point(unfitted: UnfittedProphet, space: Space) -> Parameters:
    """The model's parameters as a point of the space."""
    return {name: getattr(unfitted, name) for name in space}


def from_point(point: Parameters) -> UnfittedProphet:
    """The model at a point; what the space leaves out keeps its default."""
    unknown = set(point) - {field.name for field in fields(UnfittedProphet)}
    if unknown:
        raise ValueError(f"Prophet has no parameters {sorted(unknown)}")
    return replace(UnfittedProphet(), **point)  # type: ignore[arg-type]
