"""A body on its way in: kept only if it is whole, announced and not too large."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.types import Message

from services.training.models.upload import chunks_of, received
from shared.errors import Problem

CHUNKS = [b"one", b"", b"two"]
SHA256 = hashlib.sha256(b"onetwo").hexdigest()


def request_of(chunks: Sequence[bytes], *, breaks_off: bool = False) -> Request:
    """A request as the server hands it on: its body in these chunks."""
    messages: list[Message] = [
        {"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks
    ]
    messages.append(
        {"type": "http.disconnect"} if breaks_off else {"type": "http.request", "body": b""}
    )

    async def receive() -> Message:
        return messages.pop(0)

    return Request({"type": "http", "method": "POST", "headers": []}, receive)


async def test_the_body_is_a_file_as_long_as_it_is_needed() -> None:
    async with received(request_of(CHUNKS), SHA256) as (file, path):
        assert b"".join([chunk async for chunk in chunks_of(file)]) == b"onetwo"
        assert Path(path).read_bytes() == b"onetwo"
    assert not Path(path).exists()


@pytest.mark.parametrize(
    ("request_", "most", "status", "code"),
    [
        (request_of([b"one", b"tow"]), 6, 422, "digest_mismatch"),
        (request_of(CHUNKS), 5, 413, "artifact_too_large"),
        (request_of(CHUNKS, breaks_off=True), 6, 400, "body_incomplete"),
    ],
)
async def test_anything_else_is_refused(
    request_: Request, most: int, status: int, code: str
) -> None:
    with pytest.raises(Problem) as refused:
        async with received(request_, SHA256, most):
            pass
    assert (refused.value.status, refused.value.code) == (status, code)
