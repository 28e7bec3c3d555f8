"""Bytes that no client of ours would send, to the server as it is run: none ends in a 5xx, nothing
that has two readings is taken, and whoever asks next is answered."""

import json
import re
import select
import socket
from collections.abc import Iterator
from typing import Final

import pytest

from tests.processes import Programs
from tests.served import database, served

__all__ = ["database", "served"]

PATIENCE_SECONDS: Final = 30.0
QUIET_SECONDS: Final = 0.15
OF_THE_SERVER: Final = "ASGI callable returned without completing handshake."
"""The server says so whenever a stream is refused with an answer of ours, which it has sent."""
NOBODY: Final = "00000000-0000-4000-8000-00000000dead"
STATUS: Final = re.compile(rb"HTTP/1\.1 (\d{3}) ")
HEAD: Final = b"POST /api/v1/sales HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
ROWS: Final = b'{"rows": [{"date": "2026-01-01", "product": "roll", "quantity": 1}]}'
SIZE: Final = b"%d" % len(ROWS)
CHUNKS: Final = b"%x\r\n" % len(ROWS) + ROWS + b"\r\n0\r\n\r\n"
CHUNKED: Final = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"

TWO_READINGS: Final = {
    "a length that is too long": HEAD + b"Content-Length: 5000\r\n\r\n" + ROWS,
    "a length that is too short": HEAD + b"Content-Length: 3\r\n\r\n" + ROWS,
    "a negative length": HEAD + b"Content-Length: -1\r\n\r\n",
    "a signed length": HEAD + b"Content-Length: +" + SIZE + b"\r\n\r\n" + ROWS,
    "a hexadecimal length": HEAD + b"Content-Length: 0x%x\r\n\r\n" % len(ROWS) + ROWS,
    "no length at all": HEAD + b"Content-Length:\r\n\r\n" + ROWS,
    "a length of 400 digits": HEAD + b"Content-Length: 1" + b"0" * 400 + b"\r\n\r\n" + ROWS,
    "two lengths": HEAD + b"Content-Length: " + SIZE + b"\r\nContent-Length: 13\r\n\r\n" + ROWS,
    "a list of lengths": HEAD + b"Content-Length: " + SIZE + b", " + SIZE + b"\r\n\r\n" + ROWS,
    "length and chunks": HEAD
    + b"Content-Length: "
    + SIZE
    + b"\r\nTransfer-Encoding: chunked\r\n\r\n"
    + CHUNKS,
    "chunks that are not last": HEAD + b"Transfer-Encoding: chunked, gzip\r\n\r\n" + CHUNKS,
    "an unknown coding": HEAD + b"Transfer-Encoding: xchunked\r\n\r\n" + CHUNKS,
    "a blank before the colon": HEAD + b"Transfer-Encoding : chunked\r\n\r\n" + CHUNKS,
    "a folded header": HEAD + b"X-A: 1\r\n\tContent-Length: " + SIZE + b"\r\n\r\n" + ROWS,
    "a NUL in a header": HEAD + b"X-A: a\0b\r\nContent-Length: " + SIZE + b"\r\n\r\n" + ROWS,
    "a bare CR in a header": HEAD + b"X-A: a\rContent-Length: " + SIZE + b"\r\n\r\n" + ROWS,
    "bare LF": b"GET /api/v1/tenant HTTP/1.1\nHost: x\nContent-Length: 3\n\nabc",
    "a chunk that is broken off": CHUNKED + b"5\r\nab",
    "chunks that are broken off": CHUNKED + b"2\r\nab\r\n",
    "a chunk without an end": CHUNKED + b"2\r\nabcd\r\n0\r\n\r\n",
    "a negative chunk": CHUNKED + b"-2\r\nab\r\n0\r\n\r\n",
    "a chunk of 2^68": CHUNKED + b"fffffffffffffffff\r\nab\r\n0\r\n\r\n",
    "headers that are broken off": HEAD,
    "another protocol": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a version of the future": b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
    "a method of none": b"GE\0T / HTTP/1.1\r\nHost: x\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)),
    "noise": bytes(range(256)) * 40,
    "empty lines alone": b"\r\n" * 5_000,
    "a header of 100,000 bytes": HEAD + b"X-A: " + b"a" * 100_000 + b"\r\n\r\n",
    "a name of 100,000 bytes": HEAD + b"a" * 100_000 + b": 1\r\n\r\n",
    "1,000 headers": HEAD + b"".join(b"X-%030d: 1\r\n" % n for n in range(1_000)) + b"\r\n",
    "a path of 100,000 bytes": b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
}
PATHS: Final = {
    "half an encoding": b"/api/v1/products/%",
    "no encoding": b"/api/v1/products/%zz",
    "no UTF-8": b"/api/v1/products/%ff%fe",
    "a surrogate": b"/api/v1/products/%ed%a0%80",
    "raw bytes": b"/api/v1/products/\xff\xfe",
    "a NUL": b"/api/v1/forecasts/a%00b/explain?date=2026-01-01",
    "a way up": b"/api/v1/models/..%2f..%2f..%2fetc%2fpasswd",
    "a plain way up": b"/api/v1/../../../etc/passwd",
    "a line": b"/api/v1/models/a%0d%0aX-Forged:%201",
    "two slashes": b"//api/v1/tenant",
    "another host": b"http://elsewhere.example/api/v1/models/x",
    "a star": b"*",
    "a fragment": b"/api/v1/models/x#fragment",
    "a cursor": b"/api/v1/products?cursor=" + b"W1tb" * 250,
    "a huge cursor": b"/api/v1/products?cursor=" + b"W" * 12_000,
    "a NUL as a cursor": b"/api/v1/products?cursor=%00",
    "half an encoding as a limit": b"/api/v1/products?limit=%f",
    "a limit of 400 digits": b"/api/v1/products?limit=1" + b"0" * 400,
}
HEADERS: Final = (
    *("Range", "If-None-Match", "If-Modified-Since", "X-Request-ID", "Last-Event-ID", "Cookie"),
    *("Idempotency-Key", "Authorization", "Accept", "Expect", "Upgrade", "X-Forwarded-For"),
)
VALUES: Final = {
    "long": b"a" * 20_000,
    "a list": b"bytes=" + b"0-1," * 4_000,
    "digits": b"9" * 5_000,
    "bytes": bytes(range(0x80, 0x100)),
    "markup": b'"<script>\\',
}
SINCE: Final = (
    *("since=-1", "since=1" + "0" * 400, "since=%00", "since=%ff", "since=true", "since=1&since=2"),
    *("ticket=%00", "ticket=%ff%fe", "ticket=" + "a" * 15_000, "ticket=%f", "ticket=", "&" * 5_000),
)


@pytest.fixture(scope="module")
async def key(served: Programs) -> bytes:
    async with await served.tenant() as client:
        return client.headers["authorization"].encode()


@pytest.fixture(autouse=True)
def goes_on(served: Programs) -> Iterator[None]:
    """Whoever asks next is answered, by the same process, which had nothing to report."""
    before = len(served.started[0].said())
    yield
    asked = request(b"/health/live", b"", b"")
    assert statuses(exchange(served, asked)) == [200]
    told = [json.loads(line) for line in served.started[0].said()[before:].splitlines()]
    faults = [event["event"] for event in told if event["level"] in ("error", "critical")]
    assert set(faults) <= {OF_THE_SERVER}


def request(path: bytes, key: bytes, headers: bytes) -> bytes:
    signed = b"Authorization: " + key + b"\r\n" if key else b""
    return (
        b"GET " + path + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        b"" + signed + headers + b"\r\n"
    )


def exchange(served: Programs, sent: bytes, *, until_quiet: bool = False) -> bytes:
    """All that comes back until the server closes; `until_quiet`, the sender goes away once nothing
    more seems to come."""
    back = bytearray()
    with socket.create_connection(("127.0.0.1", served.port), PATIENCE_SECONDS) as line:
        try:
            line.sendall(sent)
            while until_quiet and select.select([line], [], [], QUIET_SECONDS)[0]:
                until_quiet = bool(piece := line.recv(65_536))
                back += piece
            if until_quiet:
                line.shutdown(socket.SHUT_WR)
            while piece := line.recv(65_536):
                back += piece
        except (ConnectionResetError, BrokenPipeError):
            return bytes(back)  # it was refused before it was read
    return bytes(back)


def statuses(answer: bytes) -> list[int]:
    return [int(status) for status in STATUS.findall(answer)]


@pytest.mark.parametrize("how", [b"Content-Length: " + SIZE, b"Transfer-Encoding: chunked"])
def test_what_has_one_reading_is_taken(served: Programs, key: bytes, how: bytes) -> None:
    head = HEAD + b"Authorization: " + key + b"\r\nConnection: close\r\n" + how + b"\r\n\r\n"
    body = ROWS if how.endswith(SIZE) else CHUNKS
    assert statuses(exchange(served, head + body)) == [200]


@pytest.mark.parametrize("sent", TWO_READINGS.values(), ids=TWO_READINGS)
def test_what_has_two_readings_or_none_is_refused(
    served: Programs, key: bytes, sent: bytes
) -> None:
    signed = sent.replace(b"Host: x", b"Authorization: " + key + b"\r\nHost: x", 1)
    told = statuses(exchange(served, signed, until_quiet=True))
    assert all(400 <= status < 500 for status in told), told


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
def test_no_path_is_more_than_a_refusal(served: Programs, key: bytes, path: bytes) -> None:
    answer = exchange(served, request(path, key, b""))
    assert all(400 <= status < 500 for status in statuses(answer)), answer[:500]
    assert b"\r\nx-forged" not in answer.lower()
    assert b"root:" not in answer


@pytest.mark.parametrize("name", HEADERS)
def test_no_value_of_a_header_is_more_than_a_refusal(
    served: Programs, key: bytes, name: str
) -> None:
    signed = b"" if name == "Authorization" else key
    for path in (b"/api/v1/tenant", b"/api/v1/training-jobs/" + NOBODY.encode() + b"/events"):
        for value in VALUES.values():
            header = name.encode() + b": " + value + b"\r\n"
            answer = exchange(served, request(path, signed, header))
            assert all(status < 500 for status in statuses(answer)), answer[:500]
            assert value[:40] not in answer.split(b"\r\n\r\n")[0]


@pytest.mark.parametrize("query", SINCE, ids=lambda query: query[:20])
def test_no_value_of_a_stream_is_more_than_a_refusal(
    served: Programs, key: bytes, query: str
) -> None:
    path = f"/api/v1/training-jobs/{NOBODY}/ws?{query}".encode()
    hands = b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    hands += b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    sent = request(path, key, hands).replace(b"Connection: close", b"Connection: Upgrade")
    told = statuses(exchange(served, sent))
    assert all(400 <= status < 500 for status in told), told
