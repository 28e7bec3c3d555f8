"""WebSockets that are held open, any number in one loop, and what each hears.

Plain sockets and one epoll: the moment of an event is the one at which its bytes were read. The
segments are those of an Ethernet: on the loopback's own of 64 KiB the kernel would keep megabytes
for a socket that nobody reads.
"""

import select
import socket
import time
from array import array
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from benchmarks.stream_frames import END_OF_HEAD, Frames, Opcode, close_code, handshake, pong

AT_ONCE: Final = 32  # handshakes under way
SEGMENT: Final = 1448
LITTLE: Final = 4096  # bytes that the kernel takes for one who does not read
AGAIN_SECONDS: Final = 6.0  # one who does not read comes back so often; it was cut off by then
OPENED: Final = b"HTTP/1.1 101 "
SEQ: Final = b'{"seq":'
LOST: Final = 1006


class Refused(Exception):
    """The server did not open a WebSocket."""


@dataclass(frozen=True, slots=True)
class Seat:
    """A place to watch from: which job, by its number in the benchmark, and where it is told."""

    job: int
    path: str
    key: str
    reads: bool = True


@dataclass(slots=True)
class Heard:
    """What one seat heard: the seq of each event, its moment (monotonic), and how it was closed."""

    seqs: "array[int]" = field(default_factory=lambda: array("q"))
    moments: "array[float]" = field(default_factory=lambda: array("d"))
    code: int | None = None


class Watcher:
    """One seat's socket."""

    __slots__ = ("_frames", "_head", "heard", "is_open", "seat", "socket")

    def __init__(self, seat: Seat, host: str, port: int) -> None:
        self.seat = seat
        self.heard = Heard()
        self.is_open = False
        self._head = b""
        self._frames = Frames()
        self.connect(host, port)

    def connect(self, host: str, port: int) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, SEGMENT)
        if not self.seat.reads:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, LITTLE)
        self.socket.connect((host, port))
        self.socket.sendall(handshake(f"{host}:{port}", self.seat.path, self.seat.key))
        self.socket.setblocking(False)

    def read(self) -> None:
        """Note what is there. Raises Refused."""
        try:
            data = self.socket.recv(1 << 17)
        except ConnectionResetError:
            data = b""
        now = time.monotonic()
        if not data:
            self.end(LOST)
            return
        if not self.is_open:
            data = self._open_with(data)
        for opcode, payload in self._frames.feed(data):
            if opcode == Opcode.TEXT:
                assert payload.startswith(SEQ), payload
                self.heard.seqs.append(int(payload[len(SEQ) : payload.index(b",")]))
                self.heard.moments.append(now)
            elif opcode == Opcode.PING:
                self.socket.send(pong(payload))
            elif opcode == Opcode.CLOSE:
                self.end(close_code(payload))
                return

    def end(self, code: int) -> None:
        if not self.is_open:
            raise Refused(f"{self.seat.path}: {self._head.decode(errors='replace')}")
        self.heard.code = code
        self.socket.close()

    def has_heard(self, seq: int) -> bool:
        return self.heard.code is not None or (bool(self.heard.seqs) and self.heard.seqs[-1] >= seq)

    def _open_with(self, data: bytes) -> bytes:
        """The bytes that follow the answer to the handshake."""
        self._head += data
        head, end, rest = self._head.partition(END_OF_HEAD)
        if not end:
            return b""
        if not head.startswith(OPENED):
            raise Refused(f"{self.seat.path}: {self._head.decode(errors='replace')}")
        self.is_open = True
        return rest


class Sitting:
    """All seats, in one loop."""

    def __init__(self, address: str, seats: Sequence[Seat]) -> None:
        split = urlsplit(address)
        assert split.hostname is not None
        assert split.port is not None
        self._at = (split.hostname, split.port)
        self._seats = seats
        self._poll = select.epoll()
        self._by_socket: dict[int, Watcher] = {}
        self._idle: deque[tuple[float, Watcher]] = deque()
        self.watchers: list[Watcher] = []

    def open(self) -> float:
        """Take every seat, a few at a time; the seconds until all readers were let in."""
        began = time.monotonic()
        opening: set[Watcher] = set()
        for seat in self._seats:
            watcher = Watcher(seat, *self._at)
            self.watchers.append(watcher)
            if seat.reads:
                self._listen_to(watcher)
                opening.add(watcher)
            else:
                self._idle.append((time.monotonic() + AGAIN_SECONDS, watcher))
            while len(opening) >= AT_ONCE:
                self.listen(1.0)
                opening = {one for one in opening if not one.is_open}
        while not all(one.is_open for one in opening):
            self.listen(1.0)
        return time.monotonic() - began

    def listen(self, seconds: float) -> None:
        """Read what has come, or wait so long for something."""
        for number, _ in self._poll.poll(seconds):
            watcher = self._by_socket[number]
            watcher.read()
            if watcher.heard.code is not None:
                del self._by_socket[number]
        while self._idle and self._idle[0][0] < time.monotonic():
            self._come_back(self._idle.popleft()[1])

    def is_waiting(self, last: Sequence[int]) -> bool:
        """Whether a reader has not heard the event `last` of its job yet."""
        return any(
            watcher.seat.reads and not watcher.has_heard(last[watcher.seat.job])
            for watcher in self.watchers
        )

    def close(self) -> None:
        for watcher in self.watchers:
            watcher.socket.close()
        self._poll.close()

    def _listen_to(self, watcher: Watcher) -> None:
        self._by_socket[watcher.socket.fileno()] = watcher
        self._poll.register(watcher.socket, select.EPOLLIN)

    def _come_back(self, watcher: Watcher) -> None:
        watcher.socket.close()
        watcher.connect(*self._at)
        self._idle.append((time.monotonic() + AGAIN_SECONDS, watcher))
