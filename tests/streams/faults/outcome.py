"""What came of a run, counted from what each watcher was told and from the logs themselves."""

import hashlib
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from tests.streams.faults.account import Account, Event, canonical
from tests.streams.faults.schedule import Faults
from tests.streams.faults.watchers import TOO_SLOW

RESTARTS = {"cut", "refused 503", "refused 504"}
"""How any connection may end while faults strike: its process is killed, the database away, or
everything so slow that a request takes longer than it may."""
SOCKET_ENDS = RESTARTS | {"1000", "1006", "1012"}
ENDS = {
    "websocket": SOCKET_ENDS,
    "slow_websocket": SOCKET_ENDS | {TOO_SLOW},
    "sse": RESTARTS | {"end"},
    "polling": RESTARTS,
    "client": {"end"},
}
FORESEEN = re.compile(r'"event": "Exception closing connection')
"""Of the pool: a connection was being closed when its process was told to end."""


@dataclass(frozen=True, slots=True)
class Plan:
    """All that decides what happens, but for the machine's own haste. `slow` of the watchers read
    slowly; `patience` in seconds is what streams have to tell what there is."""

    seed: int
    watchers: int
    seconds: float
    apis: int
    slow: int
    patience: float
    faults: Faults


@dataclass(frozen=True, slots=True)
class Told:
    """What all watchers together were told, beside the logs; `differing` counts those who were told
    something else."""

    events: int
    told: int
    missed: int
    again: int
    fell: int
    differing: int
    gaps: int
    ends: dict[str, dict[str, int]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """`waited_for` counts, by their kind, whom the run waited for in vain, and then ended."""

    watchers: dict[str, int]
    told: Told
    waited_for: dict[str, int]
    dealt: dict[str, int]
    unasked: dict[str, int]
    errors: dict[str, list[str]]
    seconds: float

    def broken(self, plan: Plan) -> list[str]:
        """Each promise that was not kept; none, and the run is passed."""
        told = self.told
        kept = {
            "no watcher misses an event": not told.missed,
            "none is told twice": not told.again,
            "percent never falls": not told.fell,
            "all are told the same, whichever way": not told.differing,
            "each is told to the end": not self.waited_for,
            "seq has no gaps": not told.gaps,
            "connections end as they may": all(
                ends.keys() <= ENDS[kind] for kind, ends in told.ends.items()
            ),
            "who reads too slowly is cut off": not plan.slow
            or TOO_SLOW in told.ends["slow_websocket"],
            "every fault was dealt": sum(self.dealt.values()) == plan.faults.total,
            "no process ends unasked": not self.unasked,
            "no error is logged": not self.errors,
        }
        return [promise for promise, is_kept in kept.items() if not is_kept]

    def figures(self) -> dict[str, object]:
        found = asdict(self)
        told = found.pop("told")
        return {**found, **told, "errors": {name: len(said) for name, said in self.errors.items()}}


def compare(
    accounts: Sequence[Account], logs: Mapping[str, Sequence[Event]], last_seqs: Iterable[int]
) -> Told:
    """`logs` by job, as they are read once all is over; `last_seqs` as the jobs have them."""
    digests = {job: _digest(events) for job, events in logs.items()}
    return Told(
        events=sum(map(len, logs.values())),
        told=sum(account.last for account in accounts),
        missed=sum(account.missed for account in accounts),
        again=sum(account.again for account in accounts),
        fell=sum(account.fell for account in accounts),
        differing=sum(_differs(account, digests) for account in accounts),
        gaps=sum(not _is_whole(events) for events in logs.values())
        + (Counter(last_seqs) != Counter(map(len, logs.values()))),
        ends=_ends(accounts),
    )


def errors_in(logs: Iterator[str]) -> dict[str, list[str]]:
    """What the processes logged as errors, by the name of the event."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for log in logs:
        for line in log.splitlines():
            if '"level": "error"' in line and not FORESEEN.search(line):
                found[str(json.loads(line)["event"]).strip()].append(line)
    return dict(found)


def _digest(events: Iterable[Event]) -> bytes:
    digest = hashlib.sha256()
    for event in events:
        digest.update(canonical(event))
    return digest.digest()


def _differs(account: Account, digests: Mapping[str, bytes]) -> bool:
    return account.complete and account.digest.digest() != digests[account.job]


def _is_whole(events: Sequence[Event]) -> bool:
    """From 1 on, each once."""
    return [event["seq"] for event in events] == list(range(1, len(events) + 1))


def _ends(accounts: Iterable[Account]) -> dict[str, dict[str, int]]:
    ends: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for account in accounts:
        ends[account.kind] += account.ends
    return {kind: dict(sorted(counted.items())) for kind, counted in ends.items()}
