"""SECURITY.md claims nothing that no test, command or target of this repository shows."""

import ast
import importlib.util
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "SECURITY.md"
SECTIONS = (
    "Walls",
    "Leaks",
    "Identity",
    "Limits",
    "Input",
    "Record",
    "Start",
    "Answers and logs",
    "Supply",
)


def spans_of(page: str) -> list[str]:
    return re.findall(r"`([^`\n]+)`", page)


@cache
def functions_of(path: Path) -> frozenset[str]:
    return frozenset(
        node.name
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def unmet(span: str, root: Path = ROOT) -> str | None:
    """What of this command is not there; None where all of it is, or where it is no command."""
    words = span.split()
    if words[0] == "make":
        return _unmet_target(words[1], root)
    if words[:2] == ["python", "-m"]:
        return None if importlib.util.find_spec(words[2]) else f"no module {words[2]}"
    tests = [word for word in words if word.startswith("tests/")]
    for test in tests:
        path, _, function = test.partition("::")
        if not (root / path).exists():
            return f"no file {path}"
        if function and function not in functions_of(root / path):
            return f"no function {function} in {path}"
    return _unmet_choice(span, [root / test for test in tests])


def _unmet_target(target: str, root: Path) -> str | None:
    found = re.search(rf"^{re.escape(target)}:", (root / "Makefile").read_text(), re.MULTILINE)
    return None if found else f"no target {target}"


def _unmet_choice(span: str, files: list[Path]) -> str | None:
    """Each word of `-k "a or b"` chooses a test of the files named."""
    chosen = re.search(r"-k (?:\"([^\"]+)\"|(\S+))", span)
    if chosen is None:
        return None
    tests = {
        name
        for file in files
        for path in (sorted(file.rglob("test_*.py")) if file.is_dir() else [file])
        for name in (*functions_of(path), path.stem)
        if name.startswith("test_")
    }
    for word in re.split(r" (?:or|and) ", chosen[1] or chosen[2]):
        if not any(word in name for name in tests):
            return f"no test chosen by -k {word}"
    return None


def test_every_test_module_and_target_that_is_named_is_there() -> None:
    missing = {span: fault for span in spans_of(PAGE.read_text()) if (fault := unmet(span))}
    assert not missing


@pytest.mark.parametrize(
    "span",
    [
        "pytest tests/security/test_nowhere.py",
        "pytest tests/security/test_security_page.py::test_nothing",
        "pytest tests/security/test_security_page.py -k nothing_of_the_kind",
        'pytest tests/security/test_security_page.py -k "every_test or nothing_of_the_kind"',
        "make nothing",
        "python -m benchmarks.nothing",
    ],
)
def test_what_is_not_there_is_found(span: str) -> None:
    assert unmet(span)


def test_every_line_of_a_table_names_what_shows_it() -> None:
    """By a command, or by a section whose lines do."""
    page = PAGE.read_text()
    rows = re.findall(r"^\| (?!---)(?!promise |risk |requirement )(.*) \|$", page, re.MULTILINE)
    assert len(rows) > 30
    shown = re.compile(r"`(pytest tests/|make |python -m )|\]\(#[a-z-]+\)")
    assert [row for row in rows if not shown.search(row)] == []


@pytest.mark.parametrize("section", SECTIONS)
def test_each_part_has_its_section_with_a_promise(section: str) -> None:
    found = re.search(rf"^## {section}\n(.*?)(?=^## |\Z)", PAGE.read_text(), re.MULTILINE | re.S)
    assert found is not None
    assert "`pytest tests/" in found[1]
