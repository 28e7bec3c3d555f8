"""What the pooled model sees of a day to come, as known at an origin.

Everything in units of sales is divided by the series' level at the origin, so that what is learnt
of one series holds for others and for the same one after it has grown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from services.training.demand.pooled.analogues import analogue_features
from services.training.demand.pooled.rolling import (
    centred_mean,
    days_since,
    level_of,
    rolling_deviation,
    rolling_mean,
    same_weekday_level,
    same_weekday_mean,
)
from services.training.demand.pooled.seasons import YEAR, YearlyRhythm
from services.training.demand.pooled.track import NO_DAY, Indices, Track, at
from services.training.demand.prediction import Floats

_WEEK = 7
_USUAL_WEEKS = 8
_LEVEL_HALF_LIFE = 21.0
_LONG = 364
_NEAR = 8
_AROUND = 7
_SMALLEST_SHARE = 0.1
_SMALLEST_LEVEL = 1e-6

Columns = dict[str, Floats]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What the pool has names for; the position of a name is its code."""

    products: tuple[str, ...]
    locations: tuple[str, ...]
    occasions: tuple[str, ...]
    regressors: tuple[str, ...]


def scale_of(track: Track) -> Floats:
    """The level at each day of history, which the day's demand is measured in; never zero."""
    recent = level_of(track.demand, _LEVEL_HALF_LIFE)
    usual = rolling_mean(track.demand, _LONG)
    blended = np.nan_to_num(np.maximum(recent, _SMALLEST_SHARE * usual))
    scale: Floats = np.maximum(blended, _SMALLEST_LEVEL)
    return scale


def feature_table(
    track: Track,
    origins: Indices,
    targets: Indices,
    levels: Floats,
    words: Vocabulary,
    rhythms: Mapping[str, YearlyRhythm],
) -> Columns:
    """One row a pair of an origin and a later day, both positions of the track's days; `levels`
    are the track's, of `scale_of`."""
    scale = levels[origins]
    columns: Columns = {}
    columns |= _calendar(track, origins, targets)
    columns |= _names(track, words, len(targets))
    usual = same_weekday_mean(track.demand, _USUAL_WEEKS)
    columns |= _same_weekdays(track, origins, targets, levels, usual)
    columns |= _recent(track, origins, scale, usual)
    columns |= _a_year_ago(track, origins, targets, levels)
    columns |= _occasions(track, targets, words)
    columns |= _opening(track, targets)
    columns |= _regressors(track, origins, targets, words.regressors)
    columns |= analogue_features(track, origins, targets, usual, words.regressors)
    rhythm = rhythms.get(track.location)
    absent = np.full(len(targets), np.nan)
    start = track.first_day
    columns["location_season"] = (
        absent if rhythm is None else rhythm.change(start + origins, start + targets)
    )
    return columns


def as_matrix(columns: Columns) -> Floats:
    """The columns side by side, in their order."""
    matrix: Floats = np.column_stack(list(columns.values()))
    return matrix


def _calendar(track: Track, origins: Indices, targets: Indices) -> Columns:
    angle = 2.0 * np.pi * track.year_day[targets] / 365.25
    return {
        "lead": (targets - origins).astype(np.float64),
        "weekday": track.weekday[targets].astype(np.float64),
        "month_day": track.month_day[targets].astype(np.float64),
        "year_sine": np.sin(angle),
        "year_cosine": np.cos(angle),
        "age": np.minimum(targets.astype(np.float64), 2 * _LONG),
    }


def _names(track: Track, words: Vocabulary, rows: int) -> Columns:
    return {
        "product": np.full(rows, _code(track.product, words.products)),
        "location": np.full(rows, _code(track.location, words.locations)),
    }


def _code(name: str, known: Sequence[str]) -> float:
    return float(known.index(name)) if name in known else np.nan


def _same_weekdays(
    track: Track, origins: Indices, targets: Indices, levels: Floats, usual: Floats
) -> Columns:
    """Of the last same weekdays that an origin knows; `usual` is the mean of eight, of each day."""
    scale = levels[origins]
    latest = targets - _WEEK * -(-(targets - origins) // _WEEK)
    columns = {
        f"same_weekday_{back + 1}": at(track.demand, latest - _WEEK * back) / scale
        for back in range(3)
    }
    columns["same_weekday_mean_4"] = at(same_weekday_mean(track.demand, 4), latest) / scale
    columns["same_weekday_mean_8"] = at(usual, latest) / scale
    relative = track.demand / levels
    columns["weekday_share"] = at(same_weekday_level(relative, 8.0), latest)
    columns["weekday_share_long"] = at(same_weekday_mean(relative, 52), latest)
    columns["weekday_spread"] = at(_weekday_spread(relative), latest)
    return columns


def _weekday_spread(relative: Floats) -> Floats:
    misses = np.abs(relative - same_weekday_mean(relative, _USUAL_WEEKS))
    return same_weekday_mean(misses, 12)


def _recent(track: Track, origins: Indices, scale: Floats, usual: Floats) -> Columns:
    demand = track.demand
    columns = {
        f"mean_{days}": at(rolling_mean(demand, days), origins) / scale for days in (7, 28, 91)
    }
    columns["mean_364"] = at(rolling_mean(demand, _LONG), origins) / scale
    columns["deviation_28"] = at(rolling_deviation(demand, 28), origins) / scale
    columns["deviation_91"] = at(rolling_deviation(demand, 91), origins) / scale
    silent = np.where(np.isnan(demand), np.nan, demand == 0.0)
    columns["silent_28"] = at(rolling_mean(silent, 28), origins)
    columns["silent_182"] = at(rolling_mean(silent, 182), origins)
    columns["since_sale"] = days_since(demand > 0, 56)[origins]
    columns["volume"] = np.log(scale)
    weekly = rolling_mean(demand / np.fmax(usual, _SMALLEST_LEVEL), 7)
    columns["momentum"] = np.clip(at(weekly, origins), 0.0, 5.0)
    return columns


def _a_year_ago(track: Track, origins: Indices, targets: Indices, levels: Floats) -> Columns:
    scale, base = levels[origins], at(levels, origins - YEAR)
    around = centred_mean(track.demand, _AROUND)
    return {
        name: np.where(targets - YEAR + _AROUND // 2 <= origins, values, np.nan)
        for name, values in {
            "year_ago": at(track.demand, targets - YEAR) / base,
            "year_ago_week": at(around, targets - YEAR) / base,
            "year_ago_unscaled": at(around, targets - YEAR) / scale,
        }.items()
    }


def _occasions(track: Track, targets: Indices, words: Vocabulary) -> Columns:
    codes = np.array([_code(name, words.occasions) for name in track.occasions] + [np.nan])
    flagged = track.occasion != NO_DAY
    since = days_since(flagged, _NEAR)
    until = days_since(flagged[::-1], _NEAR)[::-1]
    return {
        "occasion": codes[track.occasion[targets]],
        "since_occasion": since[targets],
        "until_occasion": until[targets],
        "near_holiday": track.near[targets].astype(np.float64),
    }


def _opening(track: Track, targets: Indices) -> Columns:
    shut = ~track.open_days
    return {
        "since_closed": days_since(shut, _NEAR)[targets],
        "until_closed": days_since(shut[::-1], _NEAR)[::-1][targets],
        "closed_lately": at(rolling_mean(shut.astype(np.float64), 7), targets),
    }


def _regressors(track: Track, origins: Indices, targets: Indices, names: Sequence[str]) -> Columns:
    """Values of the day and its neighbours; a price also against its usual one."""
    columns: Columns = {}
    for name in names:
        columns[f"regressor {name}"] = track.known(name, origins, targets)
        columns[f"before {name}"] = track.known(name, origins, targets - 1)
        columns[f"after {name}"] = track.known(name, origins, targets + 1)
    price = track.regressors.get("price")
    if price is not None:
        columns["price_change"] = _price_change(track, price, origins)
    else:
        columns["price_change"] = np.full(len(targets), np.nan)
    return columns


def _price_change(track: Track, price: Floats, origins: Indices) -> Floats:
    past = price[: track.days_known]
    return at(rolling_mean(past, 7), origins) / at(rolling_mean(past, _LONG), origins)
