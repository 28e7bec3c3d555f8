"""Jobs that are begun, and watched by WebSocket to their end, from one connection to the next."""

import asyncio
import json
from collections import Counter
from dataclasses import dataclass, field
from uuid import uuid4

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from tests.infrastructure.kubelet.caller import Caller, NoAnswer
from tests.infrastructure.kubelet.tally import Tally
from tests.infrastructure.kubelet.tenant import PRODUCTS, Tenant
from tests.streams.faults.account import Account

WANTED = {"families": ["prophet"], "max_trials": 1, "horizon_days": 7, "force": True}
FINISHED, RESTARTING = 1000, 1012
BACK_SECONDS = 0.1
OPEN_SECONDS = 60.0


@dataclass(slots=True)
class Watched:
    tenant: Tenant
    account: Account


@dataclass(slots=True)
class Jobs:
    """`ends` counts how streams ended: as they should, or otherwise."""

    caller: Caller
    tally: Tally
    watched: list[Watched] = field(default_factory=list)
    ends: Counter[str] = field(default_factory=Counter)
    _watching: set[asyncio.Task[None]] = field(default_factory=set)

    async def begin(self, tenant: Tenant, **wanted: object) -> None:
        """One more; whoever asks need not wait for its end."""
        body = {**WANTED, **wanted, "products": list(PRODUCTS)}
        try:
            answer = await self.caller.ask(
                "POST", "/training-jobs", tenant.key, body, Idempotency_Key=str(uuid4())
            )
        except NoAnswer as error:
            self.tally.fail("job", "no answer", str(error))
            return
        if answer.status != 202:
            self.tally.fail("job", str(answer.status), answer.content.decode())
            return
        self.tally.asked["job"] += 1
        account = Account(json.loads(answer.content)["id"], "websocket")
        self.watched.append(Watched(tenant, account))
        watching = asyncio.create_task(self._watch(tenant, account))
        self._watching.add(watching)
        watching.add_done_callback(self._watching.discard)

    @property
    def open(self) -> int:
        return len(self._watching)

    async def all_told(self, seconds: float) -> bool:
        """Whether every job that was begun was watched to its end in time."""
        deadline = asyncio.get_running_loop().time() + seconds
        while self._watching and asyncio.get_running_loop().time() < deadline:
            await asyncio.wait(self._watching, timeout=0.5)
        return not self._watching

    async def close(self) -> None:
        for watching in list(self._watching):
            watching.cancel()
        await asyncio.gather(*self._watching, return_exceptions=True)

    async def _watch(self, tenant: Tenant, account: Account) -> None:
        while not account.complete:
            try:
                code = await self._stream(tenant, account)
            except InvalidStatus as refused:
                code = refused.response.status_code
                self.tally.fail("stream", f"refused {code}")
            except (OSError, EOFError, InvalidHandshake) as error:
                code = 0
                self.tally.fail("stream", "not opened", str(error))
            if code not in {FINISHED, RESTARTING}:
                self.tally.fail("stream", f"ended {code}")
            account.end(str(code), whole=code == FINISHED)
            self.ends[str(code)] += 1
            await asyncio.sleep(BACK_SECONDS)

    async def _stream(self, tenant: Tenant, account: Account) -> int:
        async with connect(
            f"ws://{self.caller.name}/api/v1/training-jobs/{account.job}/ws?since={account.last}",
            host="127.0.0.1",
            port=self.caller.port,
            additional_headers={"Authorization": f"Bearer {tenant.key}"},
            compression=None,
            open_timeout=OPEN_SECONDS,
        ) as opened:
            self.tally.asked["stream"] += 1
            try:
                async for text in opened:
                    account.take(json.loads(text))
            except ConnectionClosed:
                pass  # its code says how
        return opened.close_code or 0
