"""What came of a run, and which promises it broke."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from tests.infrastructure.kubelet.pod import KILLED, LEFT, TOLD, Pod
from tests.infrastructure.kubelet.reckoning import Reckoning, errors_in
from tests.infrastructure.kubelet.tally import Tally
from tests.infrastructure.kubelet.traffic import Traffic

if TYPE_CHECKING:
    from tests.infrastructure.kubelet.run import Run

PHASES = ("before", "during", "after")


@dataclass(frozen=True, slots=True)
class Outcome:
    """`seconds` of each rollout, and until the last pod had left; `leaving` the longest that pods
    took from SIGTERM on; `without` the time in which the proxy knew of no pod. `repeated` counts
    what the proxy had to ask another pod for, which a client without one would have failed at."""

    asked: dict[str, int]
    failed: dict[str, int]
    examples: list[str]
    milliseconds: dict[str, dict[str, float]]
    rates: dict[str, float]
    held_up: int
    repeated: dict[str, int]
    stream_ends: dict[str, int]
    in_time: bool
    reckoning: Reckoning
    seconds: dict[str, float]
    leaving: dict[str, float]
    killed: int
    restarts: int
    without: float
    errors: dict[str, int]
    endured: dict[str, bool] = field(default_factory=dict)
    figures_of_faults: dict[str, float] = field(default_factory=dict)

    def broken(self) -> list[str]:
        """Each promise that was not kept; none, and the run is passed."""
        told = self.reckoning
        kept = {
            "no request fails": not self.failed,
            "every row that was acknowledged is there": not told.lost_rows,
            "every job is told to its end in time": self.in_time and not told.untold,
            "every job succeeds, once": told.jobs == told.succeeded == told.finished_events,
            "each product of a job is trained and published once": told.trainings
            == told.trained_events
            == told.models,
            "no task is left": not told.open_tasks,
            "no attempt is burnt": not told.attempted_again,
            "no event is missed": not told.missed,
            "no event is told twice": not told.told_again,
            "streams end when they are finished, or to begin elsewhere": self.stream_ends.keys()
            <= {"1000", "1012"},
            "every pod leaves by itself": not self.killed,
            "no pod is started again": not self.restarts,
            "somebody is always routed to": not self.without,
            "no pod is asked that is not there": not self.repeated,
            "no error is logged": not self.errors,
        }
        return [promise for promise, is_kept in (kept | self.endured).items() if not is_kept]

    def figures(self) -> dict[str, object]:
        return asdict(self)


def outcome_of(
    run: "Run", traffic: Traffic, seconds: dict[str, float], reckoning: Reckoning, in_time: bool
) -> Outcome:
    cluster, pods = run.cluster, run.cluster.kubelet.pods
    return Outcome(
        asked=dict(run.tally.asked),
        failed=dict(run.tally.failed),
        examples=run.tally.examples,
        milliseconds=_milliseconds(run.tally),
        rates={phase: run.tally.rate(phase) for phase in PHASES},
        held_up=traffic.held_up,
        repeated=dict(cluster.proxy.repeated),
        stream_ends=dict(run.jobs.ends),
        in_time=in_time,
        reckoning=reckoning,
        seconds=seconds,
        leaving=_leaving(pods),
        killed=sum(pod.has(KILLED) for pod in pods),
        restarts=sum(pod.restarts for pod in pods),
        without=round(cluster.endpoints.without, 2),
        errors=dict(errors_in(pods)),
    )


def _milliseconds(tally: Tally) -> dict[str, dict[str, float]]:
    return {phase: tally.milliseconds(phase) for phase in PHASES}


def _leaving(pods: Sequence[Pod]) -> dict[str, float]:
    longest: dict[str, float] = {}
    for pod in pods:
        if pod.has(LEFT) and pod.has(TOLD):
            seconds = round(pod.seconds_to_leave(), 2)
            longest[pod.template.name] = max(longest.get(pod.template.name, 0.0), seconds)
    return longest
