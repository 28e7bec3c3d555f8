"""Probes that mean what they say: live while the loop answers, ready while every check passes."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel


@dataclass(frozen=True, slots=True)
class Well:
    """Nothing is wrong, and there is something to tell."""

    detail: str


Check = Callable[[], Awaitable[str | Well | None]]
"""Answers None or `Well` when well, else what is wrong."""

CHECK_SECONDS = 2.0


class Live(BaseModel):
    status: Literal["live"] = "live"


class CheckOut(BaseModel):
    status: Literal["ok", "failed"]
    detail: str | None = None


class Ready(BaseModel):
    status: Literal["ready", "not_ready"]
    version: str
    checks: dict[str, CheckOut]


def health_router(version: str, checks: Mapping[str, Check]) -> APIRouter:
    """`/health/live`, `/health/ready` and its alias `/health`."""
    router = APIRouter(tags=["platform"])

    @router.get("/health/live")
    async def live() -> Live:
        return Live()

    @router.get("/health/ready", responses={503: {"model": Ready}})
    @router.get("/health", responses={503: {"model": Ready}}, operation_id="health")
    async def ready(response: Response) -> Ready:
        found = await asyncio.gather(*(_ask(check) for check in checks.values()))
        outcomes = dict(zip(checks, found, strict=True))
        well = all(outcome.status == "ok" for outcome in found)
        response.status_code = 200 if well else 503
        return Ready(status="ready" if well else "not_ready", version=version, checks=outcomes)

    return router


async def _ask(check: Check) -> CheckOut:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            fault = await check()
    except TimeoutError:
        fault = f"no answer within {CHECK_SECONDS:g} s"
    if isinstance(fault, Well):
        return CheckOut(status="ok", detail=fault.detail)
    return CheckOut(status="ok" if fault is None else "failed", detail=fault)
