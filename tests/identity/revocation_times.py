"""How long a socket stays open after its key was revoked at another process: `python -m` this.

It prints milliseconds from the answer to the revocation until the socket is closed, of three API
processes.
"""

import json
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from tests.identity.test_revocation import PATIENCE_SECONDS, closed_with, new_key, revoke, watch
from tests.processes import programs_on
from tests.spool.outage import Clients, migrated_server, row

REVOCATIONS = 60


def main() -> None:
    with ExitStack() as held:
        server = held.enter_context(migrated_server())
        folder = Path(held.enter_context(tempfile.TemporaryDirectory()))
        clients = []
        for name in ("first", "second", "third"):
            (folder / name).mkdir()
            programs = held.enter_context(programs_on(server.database, folder / name))
            programs.serve()
            clients.append(Clients(programs.address, held))
        shop = clients[0].shop(plan="unlimited")
        shop.send(row("rye", 1))
        job = shop.http.post("/training-jobs", json={}).json()["id"]
        taken = []
        for number in range(REVOCATIONS):
            key = new_key(shop, "read")
            with watch(clients[number % 3], job, key["key"]) as stream:
                stream.recv(timeout=PATIENCE_SECONDS)
                revoke(shop, key)
                began = time.monotonic()
                assert closed_with(stream) == 1008
                taken.append(1000 * (time.monotonic() - began))
        figures = {"revocations": len(taken), "median_ms": median(taken), "most_ms": max(taken)}
        print(json.dumps({name: round(value) for name, value in figures.items()}))


if __name__ == "__main__":
    main()
