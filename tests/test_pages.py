"""What the pages point to is there: files, headings, targets of make, commands of `morrow`."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from services.training.cli import app

ROOT = Path(__file__).parents[1]
LISTED = subprocess.run(
    ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
    capture_output=True,
    text=True,
    check=True,
    cwd=ROOT,
).stdout.split()
PAGES = [name for name in LISTED if (ROOT / name).is_file()]
LINK = re.compile(r"\]\(([^)\s]+)\)")
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.DOTALL | re.MULTILINE)
TOLD = re.compile(r"`([^`\n]+)`")
TARGET = re.compile(r"^([\w.-]+):", re.MULTILINE)


def words_to_run(text: str) -> Iterator[str]:
    """What a reader may type: lines of its blocks without their comments, and code in its text."""
    for block in BLOCK.findall(text):
        yield from (line.partition("  #")[0] for line in block.splitlines())
    yield from TOLD.findall(BLOCK.sub("", text))


def anchors(text: str) -> set[str]:
    """Of its headings, as they are made where pages are shown."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```", "", text, flags=re.S | re.M), re.M)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


def broken_links(page: Path, text: str) -> list[str]:
    here = [link for link in LINK.findall(text) if not re.match(r"\w+:", link)]
    return [link for link in here if not is_there(page.parent, link, text)]


def is_there(folder: Path, link: str, text: str) -> bool:
    """`text` is the page's own, for links within it."""
    name, _, anchor = link.partition("#")
    target = folder / name
    if name and anchor:
        text = target.read_text() if target.is_file() else ""
    return target.exists() and (not anchor or anchor in anchors(text))


def unknown_words(text: str, targets: set[str]) -> list[str]:
    commands = get_command(app)
    assert isinstance(commands, TyperGroup)
    unknown = []
    for line in words_to_run(text):
        for program, name in re.findall(r"(?:^|[/;&(] ?)(make|morrow) ([a-z.][\w.-]*)", line):
            if name not in (targets if program == "make" else commands.commands):
                unknown.append(f"{program} {name}")
    return unknown


def targets_of_make() -> set[str]:
    return set(TARGET.findall((ROOT / "Makefile").read_text()))


@pytest.mark.parametrize("name", PAGES)
def test_what_it_links_to_is_there(name: str) -> None:
    assert broken_links(ROOT / name, (ROOT / name).read_text()) == []


@pytest.mark.parametrize("name", PAGES)
def test_what_it_tells_to_run_is_there(name: str) -> None:
    assert unknown_words((ROOT / name).read_text(), targets_of_make()) == []


def test_what_is_not_there_is_found() -> None:
    page = ROOT / "docs/planted.md"
    text = (
        "# One page\n[a](../README.md) [b](#one-page) [c](../gone.md) [d](#gone) "
        "[e](../README.md#gone) [f](https://x.example)\n"
    )
    assert broken_links(page, text) == ["../gone.md", "#gone", "../README.md#gone"]
    text = "`make lint` `make lnit` `morrow up`\n```sh\n.venv/bin/morrow pu  # morrow x\n```\n"
    assert unknown_words(text, targets_of_make()) == ["morrow pu", "make lnit"]
