"""One run of the matrix: a tenant against another, and whether that one was told of or touched."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from fastapi import FastAPI
from prometheus_client import generate_latest

from tests.conftest import OPERATOR_KEY, client_of
from tests.security.canaries import Watch, canaries_of, digest_of, rows_of
from tests.security.filled import Ground, Side, started
from tests.security.logged import logged_at_debug
from tests.security.matrix import Matrix
from tests.security.row import Row
from tests.spool.made_batch import batch_of, nobody_replays

LATE = {"date": "2026-02-01", "quantity": 1}


@dataclass(frozen=True)
class Outcome:
    """`faults` says what leaked, was answered unlike it should be, or was changed."""

    faults: list[str]
    cases: int
    canaries: int
    logged: int


async def attack(
    ground: Ground, attacker: Side, victim: Side, rows: Sequence[Row], bad_keys: bool = True
) -> Outcome:
    with logged_at_debug() as logged:
        async with started(ground.api_dsn, ground.folder) as app, nobody_replays(app) as spool:
            late = batch_of(victim.id, LATE | {"product": victim.marks.name("late")})
            await spool.keep(late)
            waiting = str(late.header.receipt_id)
            victim = replace(victim, holdings=replace(victim.holdings, receipt=waiting))
            before = await _held(ground, victim)
            watch = await _watch(ground, attacker, victim, waiting)
            logged.taken()
            matrix = Matrix(app, attacker, victim, watch, logged)
            await matrix.run(rows, bad_keys)
            told = watch.found_in(generate_latest(), [])
            not_erased = await _erase(app, attacker)
        after = await _held(ground, victim)
    faults = [
        *matrix.faults,
        *(f"{canary!r} in the metrics" for canary in told),
        *not_erased,
        *(f"{name} of the other tenant changed" for name in sorted(_differing(before, after))),
    ]
    return Outcome(faults, matrix.cases, watch.looked_for, logged.count)


async def _watch(ground: Ground, attacker: Side, victim: Side, waiting: str) -> Watch:
    """For all that the rows tell, and for what is kept elsewhere, or sealed or hashed in them."""
    theirs, mine = [await rows_of(ground.admin_dsn, side.id) for side in (victim, attacker)]
    canaries = canaries_of(theirs, mine)
    secrets = [*victim.keys.all(), f"{victim.marks.word}-credential", waiting]
    return Watch({*canaries, *secrets, repr(victim.marks.number)}, victim.marks.word)


async def _erase(app: FastAPI, attacker: Side) -> list[str]:
    """The last that can happen to a tenant takes nothing of another with it."""
    async with client_of(app, OPERATOR_KEY) as operator:
        answer = await operator.delete(f"/api/v1/tenants/{attacker.id}")
    return [] if answer.status_code == 200 else [f"not erased: {answer.text}"]


async def _held(ground: Ground, side: Side) -> dict[str, str]:
    """A digest of every table and of every file of a tenant."""
    files = {
        str(path.relative_to(ground.folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(ground.folder.rglob("*"))
        if path.is_file() and str(side.id) in path.parts
    }
    return files | digest_of(await rows_of(ground.admin_dsn, side.id))


def _differing(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {name for name, _ in before.items() ^ after.items()}
