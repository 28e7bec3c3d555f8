"""The benchmark's own WebSocket parser reads what the library writes, however it is cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame
from websockets.frames import Opcode as Theirs
from websockets.protocol import SERVER, Protocol

from benchmarks.stream_frames import Frames, Opcode, Unreadable, close_code, pong

SIZES = st.sampled_from([0, 1, 125, 126, 127, 1000, 65535, 65536, 70000])
KINDS = st.sampled_from([Theirs.TEXT, Theirs.PING, Theirs.CLOSE])


def written(kind: Theirs, size: int) -> tuple[bytes, tuple[int, bytes]]:
    payload = bytes(number % 251 for number in range(size if kind is Theirs.TEXT else size % 126))
    return Frame(kind, payload).serialize(mask=False), (kind, payload)


@given(st.lists(st.tuples(KINDS, SIZES), max_size=5), st.integers(1, 5000))
def test_every_frame_comes_out_as_it_went_in(kinds: list[tuple[Theirs, int]], step: int) -> None:
    sent = [written(kind, size) for kind, size in kinds]
    wire = b"".join(data for data, _ in sent)
    frames = Frames()
    found = [
        frame
        for start in range(0, len(wire), step)
        for frame in frames.feed(wire[start : start + step])
    ]
    assert found == [frame for _, frame in sent]


@pytest.mark.parametrize("first", [0x01, 0xC1], ids=["in parts", "compressed"])
def test_what_was_not_asked_for_is_no_event(first: int) -> None:
    with pytest.raises(Unreadable):
        Frames().feed(bytes((first, 1)) + b"a")


def test_a_server_takes_the_pong_for_an_answer_to_its_ping() -> None:
    server = Protocol(SERVER)
    server.receive_data(pong(b"1234"))
    [answer] = server.events_received()
    assert isinstance(answer, Frame)
    assert (answer.opcode, bytes(answer.data)) == (Opcode.PONG, b"1234")


def test_a_close_without_a_code_is_one_without_a_status() -> None:
    assert close_code(b"") == 1005
    assert close_code(b"\x03\xf5too slow") == 1013
