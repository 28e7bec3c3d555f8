"""The least of the WebSocket protocol (RFC 6455) that it takes to watch: a client that parses each
frame in a few microseconds, so that it is not what a benchmark measures."""

from enum import IntEnum
from typing import Final

END_OF_HEAD: Final = b"\r\n\r\n"
UNMASKED: Final = bytes(4)  # a client has to mask; by zeros what is sent stays as it is
LONG, LONGER = 126, 127
FIN_ALONE: Final = 0x80


class Opcode(IntEnum):
    TEXT = 1
    CLOSE = 8
    PING = 9
    PONG = 10


class Unreadable(Exception):
    """A frame of a kind that this client did not ask for: compressed, or in parts."""


def handshake(host: str, path: str, key: str) -> bytes:
    """The request to open a WebSocket, without extensions."""
    lines = (
        f"GET {path} HTTP/1.1",
        f"Host: {host}",
        f"Authorization: Bearer {key}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: bW9ycm93LWJlbmNobWFyaw==",
        "Sec-WebSocket-Version: 13",
    )
    return "\r\n".join(lines).encode() + END_OF_HEAD


def pong(payload: bytes) -> bytes:
    """The answer to a ping; at most 125 bytes, as all control frames."""
    return bytes((FIN_ALONE | Opcode.PONG, FIN_ALONE | len(payload))) + UNMASKED + payload


class Frames:
    """Frames of a server, put together from the pieces that arrive."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """Opcode and payload of each frame that is whole by now. Raises Unreadable."""
        if self._rest:
            data = self._rest + data
        found, at, end = [], 0, len(data)
        while end - at >= 2:
            first, size, start = data[at], data[at + 1], at + 2
            if first & 0xF0 != FIN_ALONE:
                raise Unreadable(f"a frame begins with {first:#x}")
            if size >= LONG:
                start += 2 if size == LONG else 8
                size = int.from_bytes(data[at + 2 : start], "big") if start <= end else end
            if end - start < size:
                break
            found.append((first & 0x0F, data[start : start + size]))
            at = start + size
        self._rest = data[at:]
        return found


def close_code(payload: bytes) -> int:
    """Why a server closed; 1005 where it does not say."""
    return int.from_bytes(payload[:2], "big") if len(payload) >= 2 else 1005
