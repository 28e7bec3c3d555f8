"""The process that holds a worker's connection to the cluster.

It takes orders and gives words (`messages.py`) over an inherited socket, and ends with its worker,
with the connection, or when the cluster does not take it. Every seat is an actor, which the cluster
ends once this process is gone.
"""

import asyncio
import contextlib
import ctypes
import json
import logging
import signal
import socket
import sys
import time
from typing import Final

import ray
from ray.exceptions import RayError

from services.training.cluster import messages
from services.training.cluster.errors import AWAY, OTHER_RELEASE
from services.training.cluster.messages import Alive, Begin, Connected, Renew, Stop, Turned
from services.training.cluster.seats import Seats

PR_SET_PDEATHSIG: Final = 1
LOOK_SECONDS: Final = 1.0
TRIES: Final = 3
"""The head starts a process for each client, and sometimes takes one that starts for dead."""
PAUSE_SECONDS: Final = 1.0


def main() -> None:
    """`python -m …bridge FD ADDRESS PRELOADED`, the last as JSON."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    held, address, preload = sys.argv[1:]
    worker = socket.socket(fileno=int(held))
    asyncio.run(_hold(worker, address, json.loads(preload)))


async def _hold(worker: socket.socket, address: str, preload: list[str]) -> None:
    reader, writer = await asyncio.open_connection(sock=worker)
    verdict = _connect(address)
    messages.write(writer, verdict)
    if isinstance(verdict, Connected):
        turned: asyncio.Future[Turned] = asyncio.get_running_loop().create_future()
        seats = Seats(preload, writer, turned)
        for loop in (_take_orders(reader, seats, turned), _look(address, writer, turned)):
            seats.keep(asyncio.create_task(loop))
        messages.write(writer, await turned)
    with contextlib.suppress(ConnectionError):
        await writer.drain()
    writer.close()


def _connect(address: str) -> Connected | Turned:
    for left in reversed(range(TRIES)):
        try:
            ray.init(address, log_to_driver=False, logging_level=logging.ERROR)
        except RuntimeError as error:  # Ray's words for another version of itself, or of Python
            return Turned(OTHER_RELEASE, _first_line(error))
        except (RayError, ConnectionError) as error:
            if not left:
                told = f"{address} does not take this worker: {_first_line(error)}"
                return Turned(AWAY, told)
            time.sleep(PAUSE_SECONDS)
        else:
            break
    return Connected()


async def _take_orders(
    reader: asyncio.StreamReader, seats: Seats, turned: asyncio.Future[Turned]
) -> None:
    """Until the worker is gone."""
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
        while True:
            match await messages.read(reader):
                case Begin() as begin:
                    seats.begin(begin)
                case Stop(call=call):
                    seats.stop(call)
                case Renew(seat=seat):
                    seats.renew(seat)
    _settle(turned, Turned(AWAY, "the worker is gone"))


async def _look(address: str, writer: asyncio.StreamWriter, turned: asyncio.Future[Turned]) -> None:
    """Until the connection is lost: one that nobody uses would be missed only by the next call."""
    while ray.is_initialized():
        messages.write(writer, Alive())
        await asyncio.sleep(LOOK_SECONDS)
    _settle(turned, Turned(AWAY, f"the connection to {address} was lost"))


def _settle(turned: asyncio.Future[Turned], verdict: Turned) -> None:
    if not turned.done():
        turned.set_result(verdict)


def _first_line(error: Exception) -> str:
    return " ".join(str(error).split())[:500]


if __name__ == "__main__":
    main()
