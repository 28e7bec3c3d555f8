"""One breaker from what each process told of it."""

from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row

from services.training.breakers.schemas import BreakerInstanceOut, BreakerOut
from services.training.tables.breakers import EVERYBODY
from shared.breaker import State

WORST_FIRST: Final = (State.OPEN, State.HALF_OPEN, State.CLOSED)


def worst_of(states: Iterable[State]) -> State:
    """Of at least one."""
    return min(states, key=WORST_FIRST.index)


def together(owner: UUID, name: str, told: Sequence[Row[Any]]) -> BreakerOut:
    """The worst state that any is in, since the first is in it; rates are of all their calls."""
    state = worst_of(State(row.state) for row in told)
    calls = sum(row.calls for row in told)
    in_it = [row for row in told if row.state == state]
    latest = max((row for row in told if row.last_error), key=lambda row: row.since, default=None)
    return BreakerOut(
        name=name,
        tenant_id=None if owner == EVERYBODY else owner,
        upstream=max(told, key=lambda row: row.since).upstream,
        state=state,
        since=min(row.since for row in in_it),
        failure_rate=sum(row.failure_rate * row.calls for row in told) / calls if calls else 0.0,
        slow_rate=sum(row.slow_rate * row.calls for row in told) / calls if calls else 0.0,
        calls=calls,
        opened_count=sum(row.opened_count for row in told),
        last_error=latest.last_error if latest else None,
        instances=[
            BreakerInstanceOut(
                instance=row.instance, role=row.role, state=State(row.state), since=row.since
            )
            for row in told
        ],
    )
