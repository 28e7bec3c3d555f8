"""A body is read to its end or refused at its limit, packed or not."""

import gzip
from collections.abc import Iterator

import pytest
from starlette.requests import Request
from starlette.types import Message

from services.training.sales.body import read_body
from shared.errors import Problem


def request_of(chunks: list[bytes], **headers: str) -> Request:
    left: Iterator[Message] = iter(
        [
            {"type": "http.request", "body": chunk, "more_body": at < len(chunks)}
            for at, chunk in enumerate(chunks, 1)
        ]
    )

    async def receive() -> Message:
        return next(left)

    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "POST", "headers": named}, receive)


async def test_a_body_is_read_to_its_end() -> None:
    assert await read_body(request_of([b"ab", b"", b"cd"]), 4) == b"abcd"


@pytest.mark.parametrize("size", [1, 7, 10_000])
async def test_gzip_is_unpacked_however_it_is_cut(size: int) -> None:
    packed = gzip.compress(b"first " * 1000) + gzip.compress(b"second")
    chunks = [packed[at : at + size] for at in range(0, len(packed), size)]
    body = await read_body(request_of(chunks, content_encoding="GZip"), 10_000)
    assert body == b"first " * 1000 + b"second"


async def refusal(request: Request, limit: int) -> tuple[int, str]:
    with pytest.raises(Problem) as caught:
        await read_body(request, limit)
    first = caught.value.errors[0].code if caught.value.errors else caught.value.code
    return caught.value.status, first


async def test_a_body_over_the_limit_is_refused_before_it_ends() -> None:
    endless = request_of([b"x" * 60] * 3)
    assert await refusal(endless, 100) == (413, "body_too_large")
    assert await anext(endless.stream(), b"") != b"", "the last part must not have been read"


async def test_a_declared_length_over_the_limit_is_refused_unread() -> None:
    assert await refusal(request_of([b"x"], content_length="101"), 100) == (413, "body_too_large")


async def test_what_a_small_body_unpacks_to_is_limited_as_well() -> None:
    bomb = gzip.compress(b"\0" * 10_000_000)
    assert len(bomb) < 20_000
    assert await refusal(request_of([bomb], content_encoding="gzip"), 20_000) == (
        413,
        "body_too_large",
    )


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no gzip",
        gzip.compress(b"abc" * 99, mtime=0)[:-9],
        gzip.compress(b"a", mtime=0) + b"tail",
    ],
)
async def test_broken_gzip_is_a_422(body: bytes) -> None:
    request = request_of([body], content_encoding="gzip")
    assert await refusal(request, 1000) == (422, "invalid_gzip")


async def test_another_encoding_is_a_415() -> None:
    assert await refusal(request_of([b"x"], content_encoding="br"), 9) == (
        415,
        "unsupported_content_encoding",
    )
