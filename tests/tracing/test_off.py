"""Without a collector nothing is sent, and nothing is paid for it."""

import signal
from pathlib import Path

import pytest
import typer

from services.training import cli
from services.training.queue.children import ChildLimits, Slot, fork_server
from services.training.worker import PRELOADED
from shared.tracing import carried, header, log_ids, note, past, span
from shared.tracing.environment import TracingRefused, header_secrets, is_wanted
from tests.conftest import Database
from tests.processes import programs_on
from tests.tracing import made_modules

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
LARGE = ("opentelemetry.sdk", "opentelemetry.exporter", "opentelemetry.proto", "google.protobuf")
HERE = "http://127.0.0.1:4318"


def large(modules: list[str]) -> list[str]:
    """FastAPI brings the interface of OpenTelemetry, which does nothing; all else is much."""
    return [name for name in modules if name.startswith(LARGE)]


def test_neither_api_nor_worker_imports_what_sends(database: Database, tmp_path: Path) -> None:
    settings = {"MORROW_TEST_FOLDER": str(tmp_path)}
    with programs_on(database, tmp_path, **settings) as programs:
        programs.module = "tests.tracing.made_modules"
        for program in (programs.serve(), programs.work()):
            program.send(signal.SIGINT)
            program.ended()
            left = (tmp_path / f"modules-{program.pid}").read_text().splitlines()
            assert "shared.tracing.spans" in left
            assert large(left) == []


async def test_a_child_imports_none_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENDPOINT, HERE)
    slot = Slot(fork_server([*PRELOADED[:2], "services.training.cli"]), ChildLimits())
    try:
        loaded = await slot.run(made_modules.modules, None, lambda _: None, 60)
    finally:
        slot.close()
    assert "services.training.demand.train" in loaded
    assert large(loaded) == []


def test_what_is_said_is_heard_by_nobody() -> None:
    with span("one") as one, span("two", parent="anything") as two:
        assert one is two
        one.note({"a": 1})
        one.call("three")
        one.end()
        note({"a": 1})
        past("four", 0.0, 1.0)
        assert (header(), carried(), log_ids()) == (None, None, {})


@pytest.mark.parametrize(
    ("environ", "wanted"),
    [
        ({}, False),
        ({ENDPOINT: " "}, False),
        ({ENDPOINT: HERE}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{HERE}/v1/traces"}, True),
        ({ENDPOINT: HERE, "OTEL_SDK_DISABLED": "TRUE"}, False),
        ({ENDPOINT: HERE, "OTEL_TRACES_EXPORTER": "none"}, False),
        ({ENDPOINT: HERE, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, True),
    ],
)
def test_it_is_wanted_where_a_collector_is_named(environ: dict[str, str], wanted: bool) -> None:
    assert is_wanted(environ) is wanted


@pytest.mark.parametrize(
    "environ",
    [
        {ENDPOINT: "collector:4318"},
        {ENDPOINT: "grpc://collector:4317"},
        {ENDPOINT: HERE, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
    ],
)
def test_what_cannot_be_had_is_refused_at_the_start(environ: dict[str, str]) -> None:
    with pytest.raises(TracingRefused):
        is_wanted(environ)


def test_the_command_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(ENDPOINT, "collector:4318")
    with pytest.raises(typer.Exit) as ended, cli._tracing("morrow_worker"):
        pytest.fail("it was let in")
    assert ended.value.exit_code == 2
    assert f"{ENDPOINT} is no address such as http://collector:4318" in capsys.readouterr().err


def test_what_headers_hold_is_known_for_a_secret() -> None:
    environ = {"OTEL_EXPORTER_OTLP_HEADERS": "a=Bearer%20sesame, b=open=now"}
    assert set(header_secrets(environ)) == {"Bearer%20sesame", "Bearer sesame", "open=now"}
