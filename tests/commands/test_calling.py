"""How commands find the API, and what they say when they do not."""

import http.server
import json
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from tests.commands.conftest import Served
from tests.commands.run_morrow import morrow

HEAVY = ("prophet", "optuna", "pandas", "numpy", "sqlalchemy", "fastapi", "asyncpg", "httpx")
NOUNS = ("tenants", "sales", "train", "jobs", "forecast", "models", "doctor", "demo")


def test_help_imports_nothing_heavy() -> None:
    question = f"import services.training.cli, sys; print([m for m in {HEAVY} if m in sys.modules])"
    told = subprocess.run([sys.executable, "-c", question], capture_output=True, check=True)
    assert told.stdout.strip() == b"[]"


def test_help_names_every_noun() -> None:
    told = morrow("--help")
    assert told.exit_code == 0
    assert all(noun in told.stdout for noun in NOUNS)


def test_without_a_key_the_usage_is_wrong() -> None:
    refused = morrow("forecast")
    assert refused.exit_code == 2
    assert "MORROW_API_KEY" in refused.stderr


def test_a_url_that_is_none_is_wrong_usage() -> None:
    assert morrow("forecast", "--url", "localhost:8000", API_KEY="mrw_x_y").exit_code == 2


def test_nobody_there_is_told_with_the_way_out() -> None:
    refused = morrow("forecast", "--json", URL="http://127.0.0.1:1", API_KEY="mrw_x_y")
    assert refused.exit_code == 1
    assert "morrow up" in refused.stderr
    assert json.loads(refused.stdout)["error"]["code"] == "api_unreachable"


def test_an_unknown_key_is_told(served: Served) -> None:
    refused = morrow("models", "list", "--json", URL=served.url, API_KEY="mrw_x_y")
    assert refused.exit_code == 1
    assert json.loads(refused.stdout)["error"]["code"] == "unauthorized"
    assert "request_id" in json.loads(refused.stdout)["error"]


class _Teapot(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(418)
        self.end_headers()
        self.wfile.write(b"short and stout")

    def log_message(self, format: str, *args: object) -> None:
        """Tests are quiet."""


@pytest.fixture
def teapot() -> Iterator[str]:
    """A server that is not Morrow."""
    with http.server.HTTPServer(("127.0.0.1", 0), _Teapot) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_what_answers_but_is_not_morrow_is_told(teapot: str) -> None:
    refused = morrow("forecast", "roll", URL=teapot, API_KEY="mrw_x_y")
    assert refused.exit_code == 1
    assert "it may be something else: short and stout" in refused.stderr
