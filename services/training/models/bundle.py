"""A bundle: one trained model as bytes that a replay, another tenant or another house can read."""

import io
from datetime import date, timedelta
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from services.training.demand.outcome import Scores, Stage, Trained
from services.training.demand.prediction import LEVELS
from services.training.models.bundle_reader import (
    FORMAT,
    VERSION,
    BundleRefused,
    read_content,
    require_version,
)
from services.training.tables import Json
from shared.canonical import canonical_json, gzipped, without_nan
from shared.text import Name

LARGEST_PART: Final = 1e15
Units = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class ForecastDay(BaseModel):
    """A day of a model's forecast, in the unit of sales; quantiles in the order of `LEVELS`."""

    model_config = ConfigDict(frozen=True)

    date: date
    mean: Units
    quantiles: Annotated[tuple[Units, ...], Field(min_length=len(LEVELS), max_length=len(LEVELS))]
    open: bool

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if list(self.quantiles) != sorted(self.quantiles):
            raise ValueError(f"the quantiles of {self.date} fall from one level to the next")
        return self


class Bundle(BaseModel):
    """What is known of a trained model. `replay` is `demand.bundle`'s: engine, configuration with
    its seed, data digest, library versions, calibration and the weights."""

    model_config = ConfigDict(frozen=True)

    product: Name
    location: Name
    family: Name
    params: Json
    scores: Scores
    baseline_scores: Scores
    skill: Annotated[float, Field(allow_inf_nan=False)] | None
    stage: Stage
    confidence: Share
    interval_coverage: Share | None
    trained_through: date
    levels: tuple[float, ...]
    forecast: tuple[ForecastDay, ...]
    demand_class: str
    warnings: tuple[str, ...]
    fold_scores: list[Json]
    trials: list[Json]
    effects: dict[str, Json]
    replay: Json

    @model_validator(mode="after")
    def _forecasts_each_day_after_the_data(self) -> Self:
        if self.levels != LEVELS:
            raise ValueError(f"the levels are {list(self.levels)}, not {list(LEVELS)}")
        for number, day in enumerate(self.forecast, start=1):
            if day.date != self.trained_through + timedelta(days=number):
                raise ValueError(f"day {number} after {self.trained_through} is not {day.date}")
        return self

    @model_validator(mode="after")
    def _explains_each_day(self) -> Self:
        parts = self.effects.get("parts")
        if parts and not _units_of_each_day(parts, len(self.forecast)):
            raise ValueError("`effects.parts` are no numbers, one for each day of the forecast")
        return self


def _units_of_each_day(parts: object, days: int) -> bool:
    """Whether `parts` are lists of numbers by name, one for each day of the forecast."""
    return isinstance(parts, dict) and all(
        isinstance(units, list)
        and len(units) == days
        and all(type(unit) in (int, float) and abs(unit) <= LARGEST_PART for unit in units)
        for units in parts.values()
    )


def bundle_of(trained: Trained, product: str, location: str, trained_through: date) -> Bundle:
    """The training of this series; its forecast begins the day after `trained_through`."""
    return Bundle(
        product=product,
        location=location,
        family=trained.family,
        params=trained.params,
        scores=trained.scores,
        baseline_scores=trained.baseline_scores,
        skill=trained.skill,
        stage=trained.stage,
        confidence=trained.confidence,
        interval_coverage=trained.interval_coverage,
        trained_through=trained_through,
        levels=LEVELS,
        forecast=tuple(_days(trained)),
        demand_class=trained.demand_class,
        warnings=trained.warnings,
        fold_scores=trained.fold_scores,
        trials=trained.trials,
        effects=trained.effects,
        replay=trained.bundle,
    )


def _days(trained: Trained) -> list[ForecastDay]:
    frame = trained.forecast
    quantiles = frame[[str(level) for level in LEVELS]].to_numpy()
    return [
        ForecastDay(date=day.date(), mean=mean, quantiles=tuple(row), open=is_open)
        for day, mean, row, is_open in zip(
            frame.index, frame["mean"].tolist(), quantiles.tolist(), frame["open"], strict=True
        )
    ]


def pack(bundle: Bundle) -> bytes:
    """Gzipped canonical JSON: the same training gives the same bytes."""
    content = {"format": FORMAT, "version": VERSION, **bundle.model_dump(mode="json")}
    return gzipped(canonical_json(without_nan(content)))


def unpack(data: bytes) -> Bundle:
    """The bundle that `pack` made of `data`. Raises `BundleRefused`, which names the fault."""
    content = read_content(io.BytesIO(data))
    require_version(content)
    return checked(content)


def checked(content: Json) -> Bundle:
    """The content of a bundle, or of its outline, with every field checked. `BundleRefused`."""
    try:
        return Bundle.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "bundle"
        raise BundleRefused("malformed_bundle", f"{where}: {first['msg']}") from None
