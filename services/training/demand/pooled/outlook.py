"""What Prophet expected at each of many cut-offs: an additive view for the trees to correct.

Trees see a season or a holiday only where some row had it; Prophet draws both out of one series.
All cut-offs share one design, of which each reads the rows up to itself, and each begins from the
fit of the one before, so that a fit costs about a millisecond. What a regressor is standardised
by, and the usual value that fills its gaps, are those of the whole history: neither holds any
demand. What a pool expected is remembered for those of later cut-offs, which know all that it knew.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from services.training.demand import prophet_map
from services.training.demand.calendar import holidays_of
from services.training.demand.features import Design, prepare
from services.training.demand.model import UnfittedProphet
from services.training.demand.neighbourhood import named_neighbours
from services.training.demand.pooled.track import Indices, Track
from services.training.demand.prediction import Floats
from services.training.demand.prophet_map import MapError, MapFit, ScaledHistory
from services.training.demand.prophet_terms import Terms, terms_of
from services.training.demand.series import Series

COLUMNS: Final = ("outlook", "outlook_deviation")
_FEWEST_DAYS: Final = 28
_YEAR: Final = 365
_LARGEST: Final = 10.0

Memory = dict[int, Floats]
"""By the day (since 1970) of a cut-off: mean and noise of the days after it, one after another."""


@dataclass(frozen=True, slots=True, eq=False)
class _Fits:
    """Both of Prophet's modes at one cut-off."""

    history: ScaledHistory
    additive: MapFit
    multiplicative: MapFit

    @property
    def changepoints(self) -> int:
        return len(self.additive.changepoints)

    def answer(self, days: np.ndarray, features: Floats) -> Floats:
        """Shape (2, days): the mean of the two modes, and their noise."""
        fits = (self.additive, self.multiplicative)
        time = self.history.time(days)
        means = [self.history.values(fit.mean(time, features)) for fit in fits]
        noise = np.mean([fit.sigma for fit in fits]) * self.history.y_scale
        return np.stack([np.mean(means, axis=0), np.full(len(days), noise)])


@dataclass(frozen=True, slots=True, eq=False)
class Outlook:
    """`design` of the whole series; `known_at` the position in the track of each known day;
    `memory` what was expected as of days that are known by now, up to `reach` days ahead."""

    track: Track
    design: Design
    terms: Terms
    known_at: Indices
    reach: int
    memory: Memory

    def columns(self, origins: Indices, targets: Indices, scale: Floats) -> dict[str, Floats]:
        """Mean and deviation in units of `scale`, for days that are known or to come; NaN where
        the history up to the origin is too short for a fit."""
        found = np.full((2, len(targets)), np.nan)
        last: _Fits | None = None
        for origin in np.unique(origins).tolist():
            rows = origins == origin
            leads = targets[rows] - origin
            day = self.track.first_day + origin
            if day not in self.memory or self.memory[day].shape[1] < leads.max():
                last = self._fits(origin, last)
                self.memory[day] = self._expected(origin, last)
            found[:, rows] = self.memory[day][:, leads - 1]
        relative = np.clip(found / scale, 0.0, _LARGEST)
        return dict(zip(COLUMNS, relative, strict=True))

    def _expected(self, origin: int, fits: _Fits | None) -> Floats:
        """Shape (2, days): of the days after the origin that are known or to come."""
        targets = np.arange(origin + 1, min(origin + 1 + self.reach, self.track.days))
        expected = np.full((2, len(targets)), np.nan)
        if fits is not None:
            certain = (targets >= self.track.days_known) | np.isin(targets, self.known_at)
            expected[:, certain] = fits.answer(*self._ahead(targets[certain]))
        return expected

    def _fits(self, origin: int, last: _Fits | None) -> _Fits | None:
        """Prophet in both its modes as of the origin; None where it cannot be fitted."""
        past = int(np.searchsorted(self.known_at, origin, side="right"))
        if past < _FEWEST_DAYS:
            return None
        terms = replace(self.terms, past=self.terms.past[:past])
        history = prophet_map.scale_history(self.design.days[:past], self.design.demand[:past])
        priors = _model(with_year=self._year(past)).priors(terms)
        factors = np.full(terms.past.shape[1], True)
        try:
            matrices = prophet_map.make_design(
                history.t, history.y, terms.past, history.changepoints
            )
            near = last if last and last.changepoints == len(matrices.changepoints) else None
            additive = prophet_map.solve(
                matrices, priors, ~factors, near.additive if near else None, prophet_map.ROUGH
            )
            begin = near.multiplicative if near else additive
            multiplicative = prophet_map.solve(matrices, priors, factors, begin, prophet_map.ROUGH)
        except MapError:
            return None
        return _Fits(history, additive, multiplicative)

    def _year(self, past: int) -> bool:
        return int(self.known_at[past - 1] - self.known_at[0]) + 1 >= _YEAR

    def _ahead(self, targets: Indices) -> tuple[np.ndarray, Floats]:
        """The dates and the design's rows of targets in history (known days) or in the plan."""
        known = len(self.known_at)
        rows = np.where(
            targets < self.track.days_known,
            np.searchsorted(self.known_at, targets),
            known + targets - self.track.days_known,
        )
        days = np.concatenate([self.design.days, self.design.ahead])
        return days[rows], np.concatenate([self.terms.past, self.terms.ahead])[rows]


def outlook_of(series: Series, track: Track, reach: int, memory: Memory) -> Outlook:
    """The outlook of a series whose history is that of the track, `reach` days ahead at most."""
    design = prepare(series)
    certain = tuple(one for one in design.regressors if one.name not in series.foreseen)
    # Past days do not hold what was foreseen of them. The trees correct what is named for one day.
    around = (*holidays_of(series), *named_neighbours(series))
    design = replace(design, regressors=certain, holidays=around)
    known_at = np.flatnonzero(~np.isnan(track.demand))
    return Outlook(track, design, terms_of(design), known_at, reach, memory)


def _model(with_year: bool) -> UnfittedProphet:
    model = UnfittedProphet()
    return model if with_year else replace(model, yearly_order=0)
