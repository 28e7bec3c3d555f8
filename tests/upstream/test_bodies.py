"""No answer is larger than it may be, however it is wrapped."""

import gzip
import json
import tracemalloc
import zlib
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.upstream.body import TooLarge, read_body
from shared.upstream.client import UpstreamClient
from shared.upstream.errors import UpstreamMalformed, UpstreamTooLarge
from tests.upstream.made_upstream import TERMS, Answer, made_upstream, patient_breakers

MIB = 2**20
SMALL = replace(TERMS, most_bytes=MIB)


def zipped(body: bytes, **headers: str) -> Answer:
    return Answer(body=gzip.compress(body), headers={"Content-Encoding": "gzip", **headers})


async def test_gzip_is_read(client: UpstreamClient) -> None:
    value = [{"date": "2026-01-02", "index": 1.5}] * 1000
    async with made_upstream(lambda asked: zipped(json.dumps(value).encode())) as upstream:
        assert await client.get(upstream.as_upstream(), "x", {}) == value


@pytest.mark.parametrize("answer", [Answer(body=b" " * (MIB + 1)), zipped(b" " * (MIB + 1))])
async def test_one_byte_too_many_is_refused_by_its_limit(answer: Answer) -> None:
    async with (
        made_upstream(lambda asked: answer) as upstream,
        UpstreamClient(SMALL, patient_breakers()) as client,
    ):
        with pytest.raises(UpstreamTooLarge, match="1,048,576 bytes"):
            await client.get(upstream.as_upstream(), "x", {})
    assert len(upstream.asked) == 1


async def test_just_as_many_as_may_be_are_not() -> None:
    body = b'"' + b"x" * (MIB - 2) + b'"'
    async with (
        made_upstream(lambda asked: zipped(body)) as upstream,
        UpstreamClient(SMALL, patient_breakers()) as client,
    ):
        assert await client.get(upstream.as_upstream(), "x", {}) == "x" * (MIB - 2)


async def test_a_gzip_bomb_is_never_held_inflated() -> None:
    bomb = zipped(b"0" * (128 * MIB))
    async with (
        made_upstream(lambda asked: bomb) as upstream,
        UpstreamClient(SMALL, patient_breakers()) as client,
    ):
        tracemalloc.start()
        with pytest.raises(UpstreamTooLarge):
            await client.get(upstream.as_upstream(), "x", {})
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert most < 8 * MIB


@pytest.mark.parametrize(
    "answer",
    [
        Answer(headers={"Content-Encoding": "br"}),
        Answer(headers={"Content-Encoding": "gzip, gzip"}),
        Answer(body=b"{}", headers={"Content-Encoding": "gzip"}),
        Answer(body=gzip.compress(b"[1, 2, 3]")[:-9], headers={"Content-Encoding": "gzip"}),
    ],
)
async def test_a_wrapping_that_was_not_asked_for_is_malformed(
    client: UpstreamClient, answer: Answer
) -> None:
    async with made_upstream(lambda asked: answer) as upstream:
        with pytest.raises(UpstreamMalformed):
            await client.get(upstream.as_upstream(), "x", {})


class Pieces(httpx.AsyncByteStream):
    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece


@given(
    st.lists(st.binary(max_size=300), max_size=4),
    st.integers(1, 50),
    st.integers(0, 1000),
    st.booleans(),
)
async def test_whatever_the_pieces_the_body_is_whole_or_refused(
    members: list[bytes], size: int, most: int, compressed: bool
) -> None:
    whole = b"".join(members)
    sent = b"".join(map(gzip.compress, members)) if compressed else whole
    pieces = [sent[start : start + size] for start in range(0, len(sent), size)]
    headers = {"Content-Encoding": "gzip"} if compressed else {}
    response = httpx.Response(200, headers=headers, stream=Pieces(pieces))
    if len(whole) > most:
        with pytest.raises(TooLarge):
            await read_body(response, most)
    else:
        assert await read_body(response, most) == whole


def test_the_bomb_would_have_gone_off() -> None:
    """What the client reads so carefully does inflate a thousandfold, in one piece of 64 KiB."""
    piece = zlib.compress(b"0" * (60 * MIB), wbits=31)
    assert len(piece) < 65_536
    assert len(zlib.decompress(piece, wbits=31)) == 60 * MIB
