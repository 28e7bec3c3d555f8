"""The rules of the house, as programs."""

import ast
import re
import subprocess
import sys
import tomllib
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CODE = [
    path
    for folder in ("services", "shared", "client", "migrations", "benchmarks", "infrastructure")
    for path in sorted((ROOT / folder).rglob("*.py"))
]
MOST_LINES = 300
MOST_FUNCTION_LINES = 45
FORBIDDEN_NAMES = {
    *("utils", "helpers", "common", "core", "base", "misc", "manager", "handler", "processor"),
}
FORBIDDEN_WORDS = re.compile(r"(Enhanced|Advanced|Manager|Handler|Processor|Helper|Util)")
BROAD_EXCEPTS = {"services/training/queue/runner.py", "services/training/queue/children.py"}


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", CODE, ids=name_of)
def test_a_module_is_short_and_its_names_say_what_it_is(path: Path) -> None:
    text = path.read_text()
    assert text.count("\n") <= MOST_LINES, f"{name_of(path)} has over {MOST_LINES} lines: split it"
    assert path.stem not in FORBIDDEN_NAMES
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ClassDef):
            assert not FORBIDDEN_WORDS.search(node.name), f"{node.name} says nothing"
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or 0) - node.lineno + 1
            assert length <= MOST_FUNCTION_LINES, f"{node.name} has {length} lines"


@pytest.mark.parametrize("path", CODE, ids=name_of)
def test_every_module_that_does_something_says_what(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert not tree.body or ast.get_docstring(tree), f"{name_of(path)} has no docstring"


def test_only_the_runner_and_the_child_catch_everything() -> None:
    broad = re.compile(r"except(\s+(Base)?Exception\b|\s*:)")
    found = {name_of(path) for path in CODE if broad.search(path.read_text())}
    reraised = {name for name in found if _always_raises(ROOT / name)}
    assert found - reraised == BROAD_EXCEPTS


def _always_raises(path: Path) -> bool:
    """Whether each broad except of the file ends by raising again."""
    broad = [
        node
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ExceptHandler)
        and (
            node.type is None
            or (isinstance(node.type, ast.Name) and node.type.id in {"Exception", "BaseException"})
        )
    ]
    return all(isinstance(node.body[-1], ast.Raise) for node in broad)


def test_every_rule_that_is_set_aside_is_named_with_its_reason() -> None:
    named = re.compile(r"# noqa: [A-Z]+\d+(, [A-Z]+\d+)* - \S")
    silent = [
        f"{name_of(path)}:{number}"
        for path in CODE
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if re.search(r"#\s*(ruff:\s*)?noqa", line) and not named.search(line)
    ]
    assert silent == []


def test_the_rules_on_security_hold_for_all_but_tests() -> None:
    lint = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]
    assert "S" in lint["select"]
    assert [rule for rule in lint["ignore"] if rule.startswith("S")] == ["S101"]
    assert list(lint["per-file-ignores"]) == ["tests/*"]


@pytest.mark.parametrize("path", CODE, ids=name_of)
def test_no_error_is_made_once_and_raised_often(path: Path) -> None:
    """It would keep the frames of every request that it ended, with all that they held."""
    for node in ast.walk(ast.parse(path.read_text())):
        raised = node.exc if isinstance(node, ast.Raise) else None
        assert not (isinstance(raised, ast.Name) and raised.id.isupper()), f"line {raised.lineno}"


def test_the_api_process_imports_nothing_heavy() -> None:
    loaded = "import sys, services.training.app; print(*sys.modules)"
    modules = subprocess.run(
        [sys.executable, "-c", loaded], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout.split()
    assert not {"prophet", "optuna", "lightgbm", "cmdstanpy", "matplotlib"} & set(modules)


def test_the_lock_holds_hashes_and_no_addresses() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    assert "--hash=sha256:" in lock
    assert not re.search(r"https?://|--index-url|--extra-index-url|--find-links", lock)


def test_every_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    lock = (ROOT / "requirements.lock").read_text().lower()
    for requirement in wanted:
        name = re.split(r"[\[<>=; ]", requirement)[0].lower()
        if name == project["name"]:
            continue  # its own extras, which are among these
        assert re.search(rf"^{re.escape(name)}==", lock, re.MULTILINE), f"{name} is not locked"


def test_no_file_names_a_machine_or_a_registry() -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "-z"], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout.split("\0")
    hosts = re.compile(
        r"files[.]pythonhosted" + r"|registry\.npmjs" + r"|(^|[\s\"'=:])/(work|root)/"
    )
    for name in filter(None, tracked):
        text = (ROOT / name).read_bytes().decode("utf-8", "ignore")
        assert not hosts.search(text), f"{name} names a host or a path of a machine"
