"""The matrix itself: every row × whose things it names × with which key it is sent.

One side attacks, the other is the victim. What may not happen is told as a list of faults, so that
one run shows all of them.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from fastapi import FastAPI

from shared.auth import Scope
from tests.conftest import OPERATOR_KEY
from tests.security.calling import Seen, call
from tests.security.canaries import Watch
from tests.security.filled import Side
from tests.security.holdings import Holdings, nobodys, unknown_key
from tests.security.logged import Logged
from tests.security.row import Place, Request, Row, Who

OTHERS = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"  # ids made for the answer
    r"|\b[0-9a-f]{32}\b|mrw_[0-9a-zA-Z_\-]+"
    r"|\d{4}-\d\d-\d\dT[0-9:.]+(Z|\+00:00)"
)
TOLD_APART = re.compile("x-request-id|content-length|ratelimit-")


@dataclass
class Matrix:
    """A run of it: `faults` is empty in the end, and `cases` counts what was tried."""

    app: FastAPI
    attacker: Side
    victim: Side
    watch: Watch
    logged: Logged
    faults: list[str] = field(default_factory=list)
    cases: int = 0

    def __post_init__(self) -> None:
        self.nobody = nobodys(self.victim.holdings)

    async def run(self, rows: Sequence[Row], bad_keys: bool = True) -> None:
        """What refuses comes before what makes, and what is read is read again in the end."""
        reading, writing = [row for row in rows if row.reads], [r for r in rows if not r.reads]
        for row in reading:
            await self._name_others(row)
            await self._name_own(row)
        for row in rows if bad_keys else ():
            await self._refuse_keys(row)
        for row in writing:
            await self._name_others(row)
        for row in writing:
            await self._name_own(row)
        for row in reading:
            await self._name_own(row)

    async def _name_own(self, row: Row) -> None:
        """It succeeds, with the least that it asks for; and the body says no other tenant."""
        for key in self._good_keys(row):
            for request in (self._smuggling(row), self._filled(row, {})):
                if request is not None:
                    seen = await self._send(request, key)
                    self._expect(request, seen, {row.status})

    async def _name_others(self, row: Row) -> None:
        """A foreign name in one place after the other, and then in all of them."""
        if row.who <= set(Who):
            return
        places = row.places()
        every = [{label} for label in places] + ([set(places)] if len(places) > 1 else [])
        for key in self._good_keys(row)[:1]:
            for labels in every:
                statuses = {places[label].foreign for label in labels}
                alike = all(places[label].alike for label in labels)
                await self._compare(row, key, labels, statuses, alike)

    async def _compare(
        self, row: Row, key: str, labels: set[str], statuses: set[int], alike: bool
    ) -> None:
        nobodys, foreign = (
            self._filled(row, dict.fromkeys(labels, of))
            for of in (self.nobody, self.victim.holdings)
        )
        unknown_seen = await self._send(nobodys, key)
        foreign_seen = await self._send(foreign, key)
        self._expect(foreign, foreign_seen, statuses)
        if alike and self._masked(unknown_seen) != self._masked(foreign_seen):
            self._fault(
                foreign, f"answered unlike an unknown name:\n{unknown_seen}\n{foreign_seen}"
            )

    async def _refuse_keys(self, row: Row) -> None:
        """With a key that does not let in all are answered alike, whatever they name."""
        for key, status in self._bad_keys(row).items():
            answers = []
            for of in (self.attacker.holdings, self.victim.holdings, self.nobody):
                request = self._filled(row, dict.fromkeys(row.places(), of))
                seen = await self._send(request, key)
                self._expect(request, seen, {status})
                answers.append(self._masked(seen))
            if len(set(answers)) > 1:
                self._fault(request, f"with {key} unlike: {answers}")

    def _good_keys(self, row: Row) -> list[str]:
        """The attacker's, one for each scope that will do; else the operator's, or any."""
        scopes = sorted(row.who - set(Who))
        return [bearer(self.attacker.keys.of_scope[scope]) for scope in scopes] or [
            bearer(OPERATOR_KEY)
        ]

    def _bad_keys(self, row: Row) -> dict[str, int]:
        """Each key that must not let in, with the status that says so."""
        if Who.ANYONE in row.who:
            return {}
        keys = self.attacker.keys
        wrong = ("", "Bearer", "Bearer nonsense", "Basic bm9ib2R5Og==", bearer(keys.full[:-1]))
        gone = (unknown_key(), keys.revoked, keys.expired)
        refused = dict.fromkeys([*wrong, *(bearer(key) for key in gone)], 401)
        lacking = {bearer(keys.of_scope[each]): 403 for each in Scope if each not in row.who}
        operator = {} if Who.OPERATOR in row.who else {bearer(OPERATOR_KEY): 403}
        return refused | lacking | operator

    def _filled(self, row: Row, of: Mapping[str, Holdings]) -> Request:
        foreign: set[str] = set()

        def choose(label: str, place: Place) -> str:
            holdings = of.get(label, self.attacker.holdings)
            value: str = getattr(holdings, place.of)
            if holdings is self.victim.holdings:
                foreign.add(value)
            return value

        return replace(row.filled(choose), foreign=frozenset(foreign))

    def _smuggling(self, row: Row) -> Request | None:
        """The request with the victim's id wherever a tenant might be looked for."""
        if not row.reads:
            return None
        tenant = self.victim.holdings.tenant
        headers = dict.fromkeys(("x-tenant-id", "x-tenant", "tenant-id", "tenant_id"), tenant)
        headers["cookie"] = f"tenant_id={tenant}"
        headers["forwarded"] = f"for={tenant};host={tenant}"
        request = self._filled(row, {})
        return replace(
            request,
            query={**request.query, "tenant_id": tenant, "tenant": tenant},
            headers={**request.headers, **headers},
            foreign=request.foreign | {tenant},
        )

    async def _send(self, request: Request, key: str) -> Seen:
        self.cases += 1
        seen = await call(self.app, request, self.attacker.artifact, key, number=self.cases)
        if not request.row.reads:
            self.watch.hear(request.foreign)
        if key != bearer(OPERATOR_KEY):
            for where, text in (("answer", seen.text), ("log", self.logged.taken())):
                for canary in self.watch.found_in(text, request.foreign):
                    self._fault(request, f"{canary!r} in the {where}: {text[:2000]!r}")
        return seen

    def _masked(self, seen: Seen) -> str:
        """What is alike in the answers about a foreign and about an unknown name."""
        head = sorted(f"{n}: {v}" for n, v in seen.headers.items() if not TOLD_APART.match(n))
        text = "\n".join([str(seen.status), *head, seen.body.decode(errors="replace")])
        for holdings in (self.nobody, self.victim.holdings, self.attacker.holdings):
            for value in sorted(holdings.sent(), key=len, reverse=True):
                text = text.replace(value, "…")
        return OTHERS.sub("…", text)

    def _expect(self, request: Request, seen: Seen, statuses: set[int]) -> None:
        if seen.status not in statuses:
            self._fault(request, f"{seen.status} instead of {statuses}: {seen.body[:500]!r}")

    def _fault(self, request: Request, message: str) -> None:
        self.faults.append(
            f"{request.row.operation} {dict(request.path)} {dict(request.query)}: {message}"
        )


def bearer(secret: str) -> str:
    return f"Bearer {secret}"
