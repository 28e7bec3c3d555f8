"""How true it is what a job tells of its end, on real tenants: JSON.

    python -m benchmarks.eta_error [SET ...]

Of each job the `eta_seconds` that the API told at shares of its time, and the error: what was told
to be left to what was, as a share of what was left and of the whole time. None: nothing was told.
"""

import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any, Final

import httpx

from benchmarks.main_job import tenants_at_hand
from benchmarks.service import finished, load, morrow_up, order, tenant_client

SETS: Final = ("french_bakery",)
SHARES: Final = (0.1, 0.25, 0.5, 0.75, 0.9, 0.95)

Told = tuple[float, float | None]
"""When the API was asked, and what it told to be left."""


def run(names: Sequence[str] = SETS) -> dict[str, Any]:
    tenants, skipped = tenants_at_hand(names)
    courses = {}
    with morrow_up() as service:
        for name, tenant in tenants.items():
            with tenant_client(service.address, service.operator_key, tenant) as client:
                load(client, tenant)
                courses[name] = course_of(client)
    return {"load": [round(one, 2) for one in os.getloadavg()], **courses, "skipped": skipped}


def course_of(client: httpx.Client) -> dict[str, Any]:
    told: list[Told] = []

    def look(job: Mapping[str, Any]) -> None:
        told.append((time.monotonic() - began, job["eta_seconds"]))

    began = time.monotonic()
    job = finished(client, order(client, {}), look)
    end = told[-1][0]
    return {
        "series": job["products"]["total"],
        "seconds": round(end, 1),
        "at": {f"{share:g}": told_at(told, share * end, end) for share in SHARES},
    }


def told_at(told: Sequence[Told], now: float, end: float) -> dict[str, float | None]:
    at, eta = max((one for one in told if one[0] <= max(now, told[0][0])), key=itemgetter(0))
    left = end - at
    if eta is None:
        return {"left": round(left, 1), "told": None, "error": None, "of_all": None}
    wrong = abs(eta - left)
    return {
        "left": round(left, 1),
        "told": eta,
        "error": round(wrong / left, 3),
        "of_all": round(wrong / end, 3),
    }


if __name__ == "__main__":
    print(json.dumps(run(sys.argv[1:] or SETS), indent=2))
