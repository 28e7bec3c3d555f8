"""What reading forecasts costs the API and the database: one a request, and all as a file."""

import httpx

from benchmarks.processes import cpu_seconds
from benchmarks.scaling.measuring.figure import Figure
from benchmarks.scaling.measuring.stage import Stage
from benchmarks.service import checked


def read_costs(stage: Stage, client: httpx.Client, series: int, reads: int) -> dict[str, Figure]:
    """Of a tenant that has trained models for so many series, named as `made_tenant` does."""

    def read() -> None:
        for number in range(reads):
            query = {"product": f"product {number % series}", "location": "main"}
            checked(client.get("/forecasts", params=query))

    def export() -> None:
        for _ in range(reads // series):
            client.get("/forecasts/export").raise_for_status()

    read()  # warms up
    how = "GET /forecasts of one series after the other, by a key with no limit of its own"
    found = _billed(stage, read, "read", reads, how)
    exports = reads // series
    how = f"GET /forecasts/export of {series} series"
    found |= _billed(stage, export, "export", exports * series, how)
    return found


def _billed(stage: Stage, work, name: str, of: int, how: str) -> dict[str, Figure]:  # type: ignore[no-untyped-def]
    own = cpu_seconds(stage.served.pid)
    bill = stage.till.bill(work)
    own = cpu_seconds(stage.served.pid) - own
    return {
        f"{name}_api_ms": Figure(1000 * own / of, "ms of the API's cpu, a series", of, how),
        f"{name}_db_ms": Figure(1000 * bill.cpu_seconds / of, "ms, a series", of, how),
        f"{name}_statements": Figure(bill.statements / of, "statements, a series", of, how),
    }
