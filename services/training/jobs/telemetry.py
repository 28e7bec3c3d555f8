"""What trainings count, by what was trained and by what serves it. No product, no tenant: they are
too many to tell apart, and nobody's business but their owner's."""

from collections.abc import Iterable

from prometheus_client import Counter, Histogram

from services.training.demand.outcome import Trained

TRAINING_SECONDS = Histogram(
    "morrow_training_seconds",
    "Seconds of a training that was published, by the demand's class and the family that serves it",
    ["demand_class", "family"],
    buckets=(0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000, 3600),
)
TRIALS = Counter(
    "morrow_training_trials_total", "Trials of the searches of published trainings", ["family"]
)
SKILL = Histogram(
    "morrow_training_skill",
    "1 - WQL / WQL of the same-weekday baseline, of published models; at most 0: no better than it",
    ["family"],
    buckets=(-0.5, -0.2, -0.1, 0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 1),
)
REFUSALS = Counter(
    "morrow_trainings_refused_total", "Series that could not be trained, by the reason", ["code"]
)


def count_training(trained: Trained) -> None:
    """To be said once the model is published."""
    TRAINING_SECONDS.labels(trained.demand_class, trained.family).observe(trained.seconds)
    TRIALS.labels(trained.family).inc(len(trained.trials))
    SKILL.labels(trained.family).observe(trained.skill)


def count_refusals(codes: Iterable[str]) -> None:
    """To be said once they are published."""
    for code in codes:
        REFUSALS.labels(code).inc()
