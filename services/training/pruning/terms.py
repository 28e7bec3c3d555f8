"""How long what is kept."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from services.training.settings import Settings

ANSWERS: Final = timedelta(hours=24)
"""As long as an `Idempotency-Key` holds."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Since a job ended, its runs and events; since a model was made, its trials; since it was last
    put, an artifact that nothing names; since the day itself, what suppliers said of it."""

    runs: timedelta
    events: timedelta
    trials: timedelta
    orphans: timedelta
    order_lines: timedelta
    weather: timedelta
    traffic: timedelta
    answers: timedelta = ANSWERS

    @classmethod
    def of(cls, settings: Settings) -> "Terms":
        return cls(
            runs=timedelta(days=settings.retain_runs_days),
            events=timedelta(days=settings.retain_events_days),
            trials=timedelta(days=settings.retain_trials_days),
            orphans=timedelta(hours=settings.retain_orphans_hours),
            order_lines=timedelta(days=settings.retain_order_lines_days),
            weather=timedelta(days=settings.retain_weather_days),
            traffic=timedelta(days=settings.retain_traffic_days),
        )
