"""What is made of the moments at which events were committed and heard."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from benchmarks.stream_seats import Heard, Seat
from benchmarks.stream_writer import Committed, Log

MS: Final = 1000.0
SUMMED: Final = ("lost", "astray", "closed")


@dataclass(frozen=True, slots=True)
class Lags:
    """Milliseconds from the writer's knowing of a commit to each reader's receipt, in order; and
    the readers' events that never came, came twice, or came before an earlier one."""

    ms: Sequence[float]
    lost: int
    astray: int

    def figures(self) -> dict[str, float]:
        ranks = {f"p{percent}_ms": nearest_rank(self.ms, percent) for percent in (50, 90, 99)}
        return ranks | {"most_ms": self.ms[-1], "lost": self.lost, "astray": self.astray}


def nearest_rank(ordered: Sequence[float], percent: int) -> float:
    """What so many in a hundred do not pass."""
    return ordered[max(0, -(-percent * len(ordered) // 100) - 1)]


def lateness(committed: Iterable[Committed]) -> float:
    """How long after it was due an event was committed, in ms: 99 in 100 no longer."""
    return nearest_rank(sorted(MS * (one.moment - one.due) for one in committed), 99)


def lags_of(
    seats: Sequence[Seat],
    heard: Sequence[Heard],
    committed: Iterable[Committed],
    logs: Sequence[Log],
) -> Lags:
    """Of those who read, and of the events after each log's `last`, which they began with."""
    moments = {(one.job, one.seq): one.moment for one in committed}
    newest = newest_of(logs, moments)
    ms, lost, astray = [], 0, 0
    for seat, one in zip(seats, heard, strict=True):
        if seat.reads:
            each = zip(one.seqs, one.moments, strict=True)
            ms += [MS * (at - moments[seat.job, seq]) for seq, at in each]
            wanted = range(logs[seat.job].last + 1, newest[seat.job] + 1)
            lost += count_lost(one.seqs, wanted)
            astray += count_astray(one.seqs)
    return Lags(sorted(ms), lost, astray)


def count_lost(seqs: Iterable[int], wanted: range) -> int:
    return len(set(wanted).difference(seqs))


def count_astray(seqs: Sequence[int]) -> int:
    """Those that do not come after all that came before them."""
    newest, astray = 0, 0
    for seq in seqs:
        astray += seq <= newest
        newest = max(newest, seq)
    return astray


def newest_of(logs: Sequence[Log], told: Iterable[tuple[int, int]]) -> list[int]:
    """The seq of the newest event of each log, of those that were told: job and seq."""
    newest = [log.last for log in logs]
    for job, seq in told:
        newest[job] = max(newest[job], seq)
    return newest


def medians(rounds: Sequence[dict[str, float]]) -> dict[str, float]:
    """Of each figure; of what should not be at all, the sum."""
    figures = {name: [one[name] for one in rounds] for name in rounds[0]}
    return {
        name: sum(found) if name in SUMMED else round(median(found), 3)
        for name, found in figures.items()
    }
