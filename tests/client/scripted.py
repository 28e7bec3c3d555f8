"""An HTTP server that answers as a script says, over real sockets."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Answer:
    """What a request is answered. `cut`: more is promised than comes. `held`: and the connection
    stays as long as the server does. `hung_up`: nothing is answered."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    media_type: str = "application/json"
    cut: bool = False
    held: bool = False
    hung_up: bool = False


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Respond = Callable[[Asked], Answer]


@dataclass
class Scripted:
    """`answers` in turn, the last one ever after; or whatever `respond` says."""

    answers: list[Answer] = field(default_factory=lambda: [Answer()])
    respond: Respond | None = None
    asked: list[Asked] = field(default_factory=list)
    ending: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    def answer(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        if self.respond is not None:
            return self.respond(asked)
        return self.answers[min(len(self.asked), len(self.answers)) - 1]


def problem(status: int, code: str, **headers: str) -> Answer:
    body = f'{{"status":{status},"code":"{code}","detail":"no","request_id":"r1","title":""}}'
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, body.encode(), names, "application/problem+json")


@contextmanager
def scripted_server() -> Iterator[Scripted]:
    script = Scripted()
    with ThreadingHTTPServer(("127.0.0.1", 0), _answering(script)) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        script.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield script
        finally:
            script.ending.set()
            server.shutdown()
            thread.join()


def _answering(script: Scripted) -> type[BaseHTTPRequestHandler]:
    class Answering(BaseHTTPRequestHandler):
        def do_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = script.answer(Asked(self.command, self.path, headers, body))
            if answer.hung_up:
                return
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.media_type)
            self.send_header(
                "Content-Length", str(len(answer.body) + 1000 * (answer.cut or answer.held))
            )
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)
            if answer.held:
                self.wfile.flush()
                script.ending.wait()

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_any

        def log_message(self, format: str, *args: object) -> None:
            """Tests are quiet."""

    return Answering
