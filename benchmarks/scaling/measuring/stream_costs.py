"""What watching costs the API's processor and the database: taken from `stream_load`'s scenes."""

from typing import Any

from benchmarks.scaling.measuring.figure import Figure
from benchmarks.stream_load import SCENES, run


def stream_costs(sockets: int, seconds: float) -> dict[str, Figure]:
    """An event costs a part for its log, once a process that follows it, and a part for each socket
    it goes to: two scenes, two unknowns."""
    found: dict[str, Any] = run(("spread", "one"), sockets, 1, seconds)
    spread, one = SCENES["spread"], SCENES["one"]
    frames_spread, frames_one = spread.rate * sockets / spread.jobs, one.rate * sockets / one.jobs
    share_spread, share_one = found["spread"]["api_share"], found["one"]["api_share"]
    a_frame = (share_one - share_spread * one.rate / spread.rate) / (
        frames_one - frames_spread * one.rate / spread.rate
    )
    an_event = (share_spread - frames_spread * a_frame) / spread.rate
    how = f"stream_load, {sockets} sockets, {seconds:g} s: `spread` and `one`"
    memory = max(found["spread"]["kb_end"], found["one"]["kb_end"])
    return {
        "frame_api_ms": Figure(1000 * a_frame, "ms of the API's cpu", sockets, how),
        "event_api_ms": Figure(1000 * an_event, "ms of the API's cpu", sockets, how),
        "open_api_ms": Figure(1000 * found["one"]["open_s"] / sockets, "ms, wall", sockets, how),
        "socket_kb": Figure(memory, "kB", sockets, how),
        "stream_p99_ms": Figure(found["spread"]["p99_ms"], "ms", sockets, how),
    }
