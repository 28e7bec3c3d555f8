"""What can be made to go wrong with the sample suppliers, one at a time, while they are served."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from starlette.requests import Request
from starlette.responses import JSONResponse, Response


class Mishap(StrEnum):
    """`status` answers with one; `hang` does not answer; `malformed` breaks off; `empty` says
    nothing, with success; `slow` answers after a while."""

    STATUS = "status"
    HANG = "hang"
    MALFORMED = "malformed"
    EMPTY = "empty"
    SLOW = "slow"


@dataclass(frozen=True, slots=True)
class Fault:
    mishap: Mishap
    status: int = 503
    seconds: float = 3600.0


@dataclass(slots=True)
class Mishaps:
    """By supplier; and how often each was called."""

    faults: dict[str, Fault] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)

    async def strike(self, supplier: str) -> Response | None:
        """Count the call; what it is answered instead of what it asked for, if anything."""
        self.calls[supplier] += 1
        fault = self.faults.get(supplier)
        if fault is None:
            return None
        match fault.mishap:
            case Mishap.STATUS:
                body = {"error": True, "reason": f"the sample {supplier} is made to fail"}
                return JSONResponse(body, fault.status)
            case Mishap.MALFORMED:
                return Response(b'{"items": [{"date": ', media_type="application/json")
            case Mishap.EMPTY:
                return Response(b"", media_type="application/json")
            case Mishap.HANG | Mishap.SLOW:
                await asyncio.sleep(fault.seconds)
                return None

    async def fail(self, request: Request) -> Response:
        """`POST /fail?supplier=weather&mishap=status&status=429&seconds=5`"""
        query = request.query_params
        try:
            fault = Fault(
                Mishap(query.get("mishap", "status")),
                int(query.get("status", "503")),
                float(query.get("seconds", "3600")),
            )
        except ValueError as error:
            return JSONResponse({"error": True, "reason": str(error)}, 400)
        self.faults[query.get("supplier", "")] = fault
        return JSONResponse(self.told())

    async def heal(self, request: Request) -> Response:
        """`POST /heal?supplier=weather`; without a supplier all of them."""
        supplier = request.query_params.get("supplier")
        self.faults = {
            name: fault for name, fault in self.faults.items() if supplier not in (None, name)
        }
        return JSONResponse(self.told())

    async def tell(self, _: Request) -> Response:
        return JSONResponse(self.told())

    def told(self) -> dict[str, object]:
        return {
            "calls": dict(self.calls),
            "faults": {name: fault.mishap.value for name, fault in self.faults.items()},
        }
