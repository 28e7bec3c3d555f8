"""The API, killed at one point of its work: `python -m tests.spool.doomed_api serve --port N`.

DOOM says where; the interpreter's own audit events, and the answer on its way out, are the points.
"""

import argparse
import os
import signal
import sys
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.training.app import create_app
from services.training.settings import Settings

DOOM = os.environ["DOOM"]


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def watch(event: str, arguments: tuple[Any, ...]) -> None:
    """Die at the first event that is the point."""
    match DOOM, event:
        case "begun", "open":  # the first look at the new file: nothing is written
            doomed = ".batch." in str(arguments[0])
        case "written", "os.rename":  # on the disk, under no name yet
            doomed = str(arguments[1]).endswith(".batch")
        case "named", "open":  # its name is there, perhaps not on the disk
            doomed = os.path.isdir(str(arguments[0])) and has_batch(str(arguments[0]))
        case "applied", "os.remove":  # in the database, and still on the disk
            doomed = str(arguments[0]).endswith(".batch")
        case _:
            return
    if doomed:
        die()


def has_batch(directory: str) -> bool:
    return any(name.endswith(".batch") for name in os.listdir(directory))


class DiesAnswering:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def last_words(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 202:
                die()
            await send(message)

        await self.app(scope, receive, last_words)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("command")
    parser.add_argument("--port", type=int)
    sys.addaudithook(watch)
    app: ASGIApp = create_app(Settings.load())
    if DOOM == "answered":
        app = DiesAnswering(app)
    uvicorn.run(app, port=parser.parse_args().port, log_config=None)


if __name__ == "__main__":
    main()
