"""A tenant's policy: when its series are trained again, and on how much of their past."""

import datetime as dt
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from services.training.jobs.schemas import TrainingRequest
from shared.scalars import Flag, Integer

RETRAINING: Final = "retraining"

Days = Annotated[Integer, Field(ge=1, le=3650)]
LongEnough = Annotated[Integer, Field(ge=30, le=3650)]


class Window(BaseModel):
    """The last so many days of a series, or its last so many days with a known quantity."""

    model_config = ConfigDict(extra="forbid")

    days: LongEnough | None = None
    rows: LongEnough | None = None

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        if (self.days is None) == (self.rows is None):
            raise PydanticCustomError("one_of_both", "give `days` or `rows`, and not both")
        return self


class Policy(BaseModel):
    """When a series is trained again: each of the reasons for itself, null or false for never.

    `new_rows` and `max_age_days` count since its last training; neither anything new nor anything
    corrected is no reason at any age. No series is retrained twice within `cooldown_hours`.
    Without a `window` the one of its last training holds.
    """

    model_config = ConfigDict(extra="forbid")

    enabled: Flag = True
    new_rows: Annotated[Integer, Field(ge=1, le=100_000)] | None = 50
    max_age_days: Days | None = 30
    on_degraded_accuracy: Flag = True
    on_corrected_data: Flag = True
    window: Window | None = None
    cooldown_hours: Annotated[Integer, Field(ge=0, le=8760)] = 24

    @property
    def cooldown(self) -> dt.timedelta:
        return dt.timedelta(hours=self.cooldown_hours)

    def windowed(self, request: TrainingRequest) -> TrainingRequest:
        """The request with this policy's window in place of its own."""
        if self.window is None:
            return request
        of_days = {"training_window_days": self.window.days} if self.window.days else {}
        rows = {"training_window_rows": self.window.rows}
        return request.model_copy(update=of_days | rows)


class PolicyOut(Policy):
    """The policy that holds; `updated_at` is null while it is the default one. `checked_at` is when
    it was last looked whether anything is due."""

    updated_at: dt.datetime | None
    checked_at: dt.datetime | None
