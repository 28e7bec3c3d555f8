"""An index of packages on this machine that pip-audit takes for the real one: a proxy that speaks
TLS in its name."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.upstream.test_addresses import certificate_for

HOST = "pypi.org"
PYYAML = ("pyyaml", "5.3")
GHSA = {
    "id": "GHSA-8q59-q68h-6hv4",
    "aliases": ["CVE-2020-14343"],
    "fixed_in": ["5.4"],
    "details": "arbitrary code on loading",
}


@dataclass
class MadeIndex:
    """`known` are the faults of each version that it has; others answer 404."""

    known: dict[tuple[str, str], list[dict[str, Any]]]
    breaks_after: int | None = None
    asked: list[tuple[str, str]] = field(default_factory=list)

    def answer(self, path: str) -> tuple[int, object] | None:
        """Of `/pypi/NAME/VERSION/json`; None where the connection ends instead."""
        _, _, name, version, _ = path.split("/")
        self.asked.append((name, version))
        if self.breaks_after is not None and len(self.asked) > self.breaks_after:
            return None
        if (name, version) not in self.known:
            return 404, {"message": "Not Found"}
        return 200, {"info": {}, "vulnerabilities": self.known[name, version]}


@contextmanager
def served(index: MadeIndex, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have every program that is started meanwhile ask `index` in place of the real one."""
    context = certificate_for(HOST, folder)

    class Proxy(BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            assert self.path == f"{HOST}:443"
            self.send_response(200)
            self.end_headers()
            self.connection = context.wrap_socket(self.connection, server_side=True)
            self.rfile = self.connection.makefile("rb")
            self.wfile = self.connection.makefile("wb", buffering=0)  # type: ignore[assignment]
            self.close_connection = False

        def do_GET(self) -> None:
            answer = index.answer(self.path)
            if answer is None:
                self.close_connection = True
                return
            body = json.dumps(answer[1]).encode()
            self.send_response(answer[0])
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(body)

        def finish(self) -> None:
            super().finish()
            self.connection.close()

        def log_message(self, format: str, *args: object) -> None:
            """Nobody reads it."""

    Proxy.protocol_version = "HTTP/1.1"
    server = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    ask_through(f"http://127.0.0.1:{server.server_port}", folder, monkeypatch)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(folder / "cert.pem"))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def ask_through(proxy: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Send every program that is started meanwhile through `proxy`, with a memory of its own."""
    for name in ("NO_PROXY", "no_proxy", "https_proxy", "MORROW_AUDIT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    monkeypatch.setenv("PIP_CACHE_DIR", str(folder / "cache"))
