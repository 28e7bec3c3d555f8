"""Dealing one fault. Each answers whether it found a victim; who found none tries again later."""

import contextlib
import os
import signal
from collections.abc import Sequence
from typing import TypeVar, assert_never

from tests.chaos.crew import Crew, Hand
from tests.chaos.database import Database
from tests.chaos.schedule import Fault, Kind
from tests.chaos.worker import LISTENER, LOCKS, POOL

BACKENDS = "SELECT pid FROM pg_stat_activity WHERE application_name = $1 ORDER BY pid"
END_BACKEND = "SELECT pg_terminate_backend($1)"
LEAP = """
UPDATE tasks SET lease_until = now() - interval '1 second' WHERE (tenant_id, id) IN
  (SELECT tenant_id, id FROM tasks WHERE state = 'running' FOR UPDATE SKIP LOCKED) RETURNING id
"""
"""Who waited here for a frozen worker would not thaw it."""
T = TypeVar("T")


def strike(fault: Fault, crew: Crew, database: Database) -> bool:
    match fault.kind:
        case Kind.KILL_WORKER:
            return _signal([hand.pid for hand in crew.at_work()], fault, signal.SIGKILL)
        case Kind.KILL_CHILD:
            deaths = (signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT)
            return _signal(_children(crew), fault, deaths[int(fault.choice * 1000) % 3])
        case Kind.KILL_FORK_SERVER:
            servers = [pid for hand in crew.at_work() for pid in hand.fork_servers()]
            return _signal(servers, fault, signal.SIGKILL)
        case Kind.HANG_CHILD:
            return _signal(_children(crew), fault, signal.SIGSTOP)
        case Kind.FREEZE_WORKER | Kind.SUSPEND_WORKER:
            return _freeze(crew.at_work(), fault)
        case Kind.END_BACKEND:
            return _end_backend(database, fault, POOL)
        case Kind.CUT_LOCKS:
            return _end_backend(database, fault, LOCKS)
        case Kind.CUT_LISTENER:
            return _end_backend(database, fault, LISTENER)
        case Kind.RESTART_DATABASE:
            database.restart()
            return True
        case Kind.LEAP_OF_THE_CLOCK:
            return bool(database.look(LEAP))
        case _:
            assert_never(fault.kind)


def _children(crew: Crew) -> list[int]:
    return [pid for hand in crew.at_work() for pid in hand.children()]


def _signal(victims: Sequence[int], fault: Fault, number: signal.Signals) -> bool:
    if not victims:
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(_chosen(victims, fault), number)
        return True
    return False


def _freeze(victims: Sequence[Hand], fault: Fault) -> bool:
    if not victims:
        return False
    hand = _chosen(victims, fault)
    seconds = fault.leases * hand.post.lease_seconds
    hand.freeze(seconds, suspended=fault.kind is Kind.SUSPEND_WORKER)
    return True


def _end_backend(database: Database, fault: Fault, application: str) -> bool:
    found = database.look(BACKENDS, application)
    if not found:
        return False
    return bool(database.look(END_BACKEND, _chosen(found, fault)["pid"]))


def _chosen(victims: Sequence[T], fault: Fault) -> T:
    return victims[int(fault.choice * len(victims))]
