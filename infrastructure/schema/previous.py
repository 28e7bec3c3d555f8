"""The tests of an earlier commit, with its code, on this checkout's schema: `make previous`.

What a release promises while it is rolled out: that the one before goes on. The tests of the
schema itself, and of the house, are not asked.
"""

import os
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory

from migrations import HERE, configuration

ROOT = Path(__file__).parents[2]
PLUGIN = Path(__file__).with_name("plugin")
OF_THE_SCHEMA = ("tests/migrations", "tests/test_house.py", "tests/supply")


def configuration_with(dsn: str, further: str) -> Config:
    """This checkout's revisions, and those in the folder `further` behind them."""
    config = configuration(dsn)
    if further:
        config.set_main_option("version_locations", f"{HERE / 'versions'}{os.pathsep}{further}")
        config.set_main_option("path_separator", "os")
    return config


@contextmanager
def checked_out(commit: str) -> Iterator[Path]:
    """The tree of `commit`, gone in the end."""
    with tempfile.TemporaryDirectory(prefix="morrow-previous-") as folder:
        tree = Path(folder) / "tree"
        _git("worktree", "add", "--quiet", "--detach", str(tree), commit)
        try:
            yield tree
        finally:
            _git("worktree", "remove", "--force", str(tree))


def _git(*arguments: str) -> None:
    subprocess.run(["git", *arguments], check=True, cwd=ROOT)  # noqa: S603, S607 - our own words


def run_tests(tree: Path, further: str, revision: str, asked: Sequence[str]) -> int:
    """pytest's status. The packages are this checkout's, the code and the tests the tree's."""
    environ = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(tree), str(tree / "client"), str(PLUGIN)]),
        "MORROW_NEWER": str(ROOT),
        "MORROW_NEWER_REVISION": revision,
        "MORROW_FURTHER": further,
    }
    ignored = [f"--ignore={name}" for name in OF_THE_SCHEMA]
    command = [sys.executable, "-m", "pytest", "-p", "newer_schema", *ignored, *asked]
    return subprocess.run(command, cwd=tree, env=environ).returncode  # noqa: S603 - our own words


def main(arguments: Sequence[str]) -> int:
    parser = ArgumentParser("previous", description=__doc__)
    parser.add_argument("commit", help="a tag or commit: the release before")
    parser.add_argument("--further", default="", help="a folder of revisions behind ours")
    parser.add_argument("--revision", default="head", help="up to which the schema is brought")
    given, asked = parser.parse_known_args(arguments)
    further = str(Path(given.further).resolve()) if given.further else ""
    scripts = ScriptDirectory.from_config(configuration_with("", further))
    revision = scripts.get_revision(given.revision).revision
    with checked_out(given.commit) as tree:
        return run_tests(tree, further, revision, asked)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
