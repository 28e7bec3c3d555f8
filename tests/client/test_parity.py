"""Both clients are one: the same operations, under the same names, with the same parameters."""

import inspect
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, get_origin

import pytest

import morrow
from morrow import AsyncClient, Client
from tests.client.saying import operations

OWN = {"close"}
"""Not bound from an operation."""
BUILDING_BLOCKS = {
    "export_forecasts": "download_forecasts, list_forecasts",
    "export_sales": "download_sales, read_sales",
    "import_artifact": "import_model",
    "post_regressors": "import_regressors, import_regressors_file",
    "post_sales": "import_sales, import_sales_file",
    "read_artifact": "download_artifact",
    "read_events": "list_events, events",
    "stream_events": "events",
}
"""Calls that are no methods themselves, and the methods that make them."""


def methods(client: type) -> dict[str, Callable[..., Any]]:
    return {
        name: made
        for name, made in inspect.getmembers(client, inspect.isfunction)
        if not name.startswith("_")
    }


WAITING, AWAITED = methods(Client), methods(AsyncClient)


def test_both_have_the_same_methods() -> None:
    assert WAITING.keys() == AWAITED.keys()


@pytest.mark.parametrize("name", sorted(WAITING.keys() - OWN))
def test_a_method_has_the_same_parameters_and_words_in_both(name: str) -> None:
    waiting, awaited = WAITING[name], AWAITED[name]
    assert inspect.signature(waiting).parameters == inspect.signature(awaited).parameters
    assert waiting.__doc__ == awaited.__doc__
    assert waiting.__name__ == awaited.__name__ == name
    assert inspect.unwrap(waiting) is inspect.unwrap(awaited)


@pytest.mark.parametrize("name", sorted(WAITING.keys() - OWN))
def test_a_method_has_the_same_result_in_both(name: str) -> None:
    mine = inspect.signature(WAITING[name]).return_annotation
    theirs = inspect.signature(AWAITED[name]).return_annotation
    assert (get_origin(mine) is Iterator) == (get_origin(theirs) is AsyncIterator)
    if get_origin(mine) is Iterator:
        assert mine.__args__ == theirs.__args__
        assert not inspect.iscoroutinefunction(AWAITED[name])
    else:
        assert mine == theirs
        assert inspect.iscoroutinefunction(AWAITED[name])
    assert not inspect.iscoroutinefunction(WAITING[name])


def test_every_call_is_a_method_or_part_of_one() -> None:
    bound = {inspect.unwrap(made) for made in WAITING.values()}
    free = {each.__name__ for each in operations() if each not in bound}
    assert free == BUILDING_BLOCKS.keys()


def test_a_client_closes_what_it_opened() -> None:
    with Client("http://127.0.0.1:1", "key") as client:
        assert not client.link.wire.http.is_closed
    assert client.link.wire.http.is_closed


async def test_a_client_in_a_loop_closes_what_it_opened() -> None:
    async with AsyncClient("http://127.0.0.1:1", "key") as client:
        assert not client.link.wire.http.is_closed
    assert client.link.wire.http.is_closed


@pytest.mark.parametrize("client", [Client, AsyncClient])
@pytest.mark.parametrize(
    "url", ["", "morrow.example", "ftp://x", "http://", "http://x?y", "http://u:p@x"]
)
def test_what_is_no_address_is_refused(client: type, url: str) -> None:
    with pytest.raises(ValueError, match="address"):
        client(url, "key")


@pytest.mark.parametrize("client", [Client, AsyncClient])
@pytest.mark.parametrize("key", ["", "two words", "line\n", "schlüssel"])
def test_what_is_no_key_is_refused_and_not_told(client: type, key: str) -> None:
    with pytest.raises(ValueError, match="API key") as caught:
        client("http://127.0.0.1:1", key)
    assert not key or key not in str(caught.value)


def test_it_needs_httpx_alone() -> None:
    """A program that has the client and httpx, and nothing of the service."""
    alone = (
        "import sys, importlib.abc\n"
        "class Refusing(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        root = name.partition('.')[0]\n"
        "        if root in {'services', 'shared', 'pydantic', 'fastapi', 'pandas', 'numpy',\n"
        "                    'pyarrow', 'sqlalchemy', 'structlog', 'typer', 'rich'}:\n"
        "            raise ImportError(name)\n"
        "sys.meta_path.insert(0, Refusing())\n"
        "import morrow\n"
        "morrow.Client('http://127.0.0.1:1', 'key').close()\n"
        "print(sorted(morrow.__all__))\n"
    )
    told = subprocess.run(
        [sys.executable, "-W", "error", "-c", alone],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(Path(morrow.__file__).parents[1])},
    )
    assert "AsyncClient" in told.stdout


def test_type_checkers_are_told_that_it_is_typed() -> None:
    assert (Path(morrow.__file__).parent / "py.typed").is_file()
