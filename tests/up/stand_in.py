"""Small real programs in the places of migrate, serve and worker: `stand_in.py WHAT DIRECTORY`.

Each writes what it is and was given to DIRECTORY/WHAT.json, then does its part.
"""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import asyncpg
from prometheus_client import Counter, Gauge

REPORTED = ("MORROW_", "PROMETHEUS_")


def report(what: str, directory: Path, **facts: object) -> None:
    env = {name: value for name, value in os.environ.items() if name.startswith(REPORTED)}
    text = json.dumps({"pid": os.getpid(), "argv": sys.argv[3:], "env": env, **facts})
    draft = directory / f"{what}.draft"
    draft.write_text(text)
    draft.rename(directory / f"{what}.json")


async def ask(*statements: str) -> object:
    connection = await asyncpg.connect(os.environ["MORROW_DATABASE_URL"])
    try:
        for statement in statements[:-1]:
            await connection.execute(statement)
        return await connection.fetchval(statements[-1])
    finally:
        await connection.close()


def migrate() -> None:
    rows = asyncio.run(
        ask(
            "SET ROLE morrow_owner",
            "CREATE TABLE IF NOT EXISTS visits (at timestamptz DEFAULT now())",
            "GRANT SELECT, INSERT ON visits TO morrow_api",
            "SELECT count(*) FROM visits",
        )
    )
    report("migrate", directory, rows=rows)


def serve() -> None:
    Counter("stand_in_starts", "Starts of the API.").inc()
    Gauge("stand_in_up", "Running APIs.", multiprocess_mode="livesum").set(1)
    role = asyncio.run(ask("INSERT INTO visits DEFAULT VALUES", "SELECT current_user"))
    report("serve", directory, role=role)

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/health/ready" else 404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:
            print("answered", self.path, flush=True)

    inherited = socket.socket(fileno=int(sys.argv[sys.argv.index("--fd") + 1]))
    server = ThreadingHTTPServer(inherited.getsockname(), Answer, bind_and_activate=False)
    server.socket.close()
    server.socket = inherited
    server.serve_forever()


def worker(ignored: tuple[signal.Signals, ...] = ()) -> None:
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)
    grandchild = subprocess.Popen(["sleep", "600"], start_new_session=True)
    role = asyncio.run(ask("SELECT current_user"))
    report("worker", directory, role=role, grandchild=grandchild.pid)
    while True:
        time.sleep(600)


if __name__ == "__main__":
    what, directory = sys.argv[1], Path(sys.argv[2])
    match what:
        case "migrate":
            migrate()
        case "serve":
            serve()
        case "worker":
            worker()
        case "stubborn-worker":
            worker((signal.SIGTERM,))
        case "broken":
            sys.exit("no such thing as a broken program")
