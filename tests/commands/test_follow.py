"""Following a job across cuts, against a server that cuts."""

import http.server
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from services.training.commands.failures import Refused, Unreachable
from services.training.commands.follow import PATIENCE_SECONDS, follow_job
from services.training.commands.http import open_api

TYPES = ["job.queued", "job.started", "product.started", "product.trained", "job.finished"]


@dataclass
class CuttingServer:
    """Serves the events after `Last-Event-ID`, at most two at a time, then cuts the stream; every
    second request finds the service down."""

    answers: list[int] = field(default_factory=lambda: [200, 503])
    asked: list[int] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def cutting() -> Iterator[CuttingServer]:
    state = CuttingServer()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen = int(self.headers["Last-Event-ID"])
            status = state.answers[len(state.asked) % len(state.answers)]
            state.asked.append(seen)
            self.send_response(status)
            self.send_header("Content-Type", "text/event-stream")
            # Of what is promised only a part comes, so that the end is a cut.
            self.send_header("Content-Length", "100000" if status == 200 else "0")
            self.end_headers()
            if status == 200:
                for seq in range(seen + 1, min(seen + 2, len(TYPES)) + 1):
                    event = {"seq": seq, "type": TYPES[seq - 1], "percent": 0, "message": ""}
                    self.wfile.write(f"id: {seq}\ndata: {json.dumps(event)}\n\n".encode())

        def log_message(self, format: str, *args: object) -> None:
            """Tests are quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        state.url = f"http://127.0.0.1:{server.server_port}"
        yield state
        server.shutdown()
        thread.join()


def test_every_event_comes_once_however_often_the_stream_is_cut(cutting: CuttingServer) -> None:
    with open_api(cutting.url, "key") as api:
        events = list(follow_job(api, "1", pause=lambda seconds: None))
    assert [event["seq"] for event in events] == [1, 2, 3, 4, 5]
    assert [event["type"] for event in events] == TYPES
    assert cutting.asked == [0, 2, 2, 4, 4]


def test_an_answer_that_will_stay_is_not_asked_for_again(cutting: CuttingServer) -> None:
    cutting.answers = [404]
    with open_api(cutting.url, "key") as api, pytest.raises(Refused):
        list(follow_job(api, "1", pause=lambda seconds: None))
    assert cutting.asked == [0]


def test_patience_ends() -> None:
    now = [0.0]

    def pause(seconds: float) -> None:
        now[0] += PATIENCE_SECONDS / 2

    with open_api("http://127.0.0.1:1", "key") as api, pytest.raises(Unreachable):
        list(follow_job(api, "1", clock=lambda: now[0], pause=pause))
    assert now[0] == pytest.approx(1.5 * PATIENCE_SECONDS)
