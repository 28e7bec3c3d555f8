"""What lets us in is told to nobody: not by errors, not by reprs, not by the log."""

import json
import logging
import traceback
from collections.abc import Iterator

import pytest

from shared.logging import configure_logging
from shared.upstream.client import Upstream, UpstreamClient
from shared.upstream.errors import UpstreamError, UpstreamForbidden, UpstreamStatus
from tests.faults.proxy import DataLimit, Fault, Reset, Timeout, fault_proxy
from tests.upstream.made_upstream import OWNER, SECRET, Answer, Asked, made_upstream

PARAMS = {"apikey": "another-key-of-ours", "latitude": "54.3"}


class Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.text += f"{record.name} {record.getMessage()} {record.exc_text}\n"


@pytest.fixture
def log() -> Iterator[Kept]:
    """Everything that is logged when all that there is is asked for."""
    configure_logging("debug", console=False)
    kept = Kept()
    logging.getLogger().addHandler(kept)
    yield kept
    configure_logging("warning", console=False)


def shown(error: BaseException) -> str:
    """All that anybody gets to see of an error, its traceback among it."""
    return "".join([repr(error), str(vars(error)), *traceback.format_exception(error)])


def test_an_upstream_shows_neither_its_address_nor_its_credentials() -> None:
    url = "https://a.example/hook/another-key-of-ours"
    upstream = Upstream("sales:x", url, False, {"Authorization": SECRET}, OWNER)
    assert SECRET not in repr(upstream)
    assert "another-key-of-ours" not in repr(upstream)


def echo(asked: Asked) -> Answer:
    """Says back all that it was sent, as some do to help."""
    reason = f"bad: {asked.headers['authorization']} {asked.query['apikey']} {asked.path}"
    return Answer(400, json.dumps({"error": True, "reason": reason}).encode())


async def test_what_an_upstream_echoes_is_cut_out(client: UpstreamClient, log: Kept) -> None:
    async with made_upstream(echo) as upstream:
        with pytest.raises(UpstreamStatus) as refused:
            await client.get(upstream.as_upstream(), "x", PARAMS)
    assert refused.value.reason == "bad: … … /x"
    seen = shown(refused.value) + log.text
    assert "Bearer" not in seen
    assert not any(secret in seen for secret in (SECRET, PARAMS["apikey"]))


@pytest.mark.parametrize("fault", [Timeout(0.1), Reset(), DataLimit(10)])
async def test_no_failure_tells(client: UpstreamClient, log: Kept, fault: Fault) -> None:
    async with (
        made_upstream(lambda asked: Answer()) as upstream,
        fault_proxy(upstream.port) as proxy,
    ):
        proxy.inject(fault)
        with pytest.raises(UpstreamError) as failed:
            await client.get(upstream.as_upstream(url=proxy.url), "x", PARAMS)
        proxy.inject()
        await client.get(upstream.as_upstream(url=proxy.url), "x", PARAMS)
    seen = shown(failed.value) + log.text
    assert not any(secret in seen for secret in (SECRET, PARAMS["apikey"]))


@pytest.mark.parametrize(
    "credential", [f"{SECRET}\r\nX: y", f"{SECRET}\n", f"{SECRET}é", "\x00" + SECRET]
)
async def test_a_credential_that_no_header_can_hold_is_not_quoted(
    client: UpstreamClient, credential: str
) -> None:
    async with made_upstream(lambda asked: Answer()) as upstream:
        told = Upstream("weather:x", upstream.url, False, {"Authorization": credential}, OWNER)
        with pytest.raises(UpstreamForbidden, match="Authorization") as refused:
            await client.get(told, "x", {})
    assert SECRET not in shown(refused.value)
    assert upstream.asked == []
