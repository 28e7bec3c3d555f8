"""The Dockerfile says what the code has, and keeps to the rules of the house."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from infrastructure.docker.smoke_fit import MODULES_OF
from services.training.cli import app
from services.training.settings import Settings
from tests.infrastructure.dockerfile import Dockerfile
from tests.processes import Programs
from tests.served import database, served

__all__ = ["database", "served"]

ROOT = Path(__file__).parents[2]
FILE = Dockerfile.read(ROOT / "Dockerfile")
BUILD, LAST = FILE.stages
COMMANDS = get_command(app)


def test_every_base_is_pinned_by_a_digest_that_nobody_made_up() -> None:
    """Whoever builds says which: there is no default, so an empty one is no image at all."""
    assert FILE.arguments == ["PYTHON_DIGEST"]
    for stage in FILE.stages:
        assert stage.base.endswith("@${PYTHON_DIGEST}")


def test_what_is_installed_comes_by_the_hashes_of_the_lock_and_is_never_compiled() -> None:
    (asked, built) = BUILD.all("RUN")
    installs = [part for part in asked.split("&&") if "pip" in part and "install" in part]
    assert len(installs) == 2
    for part in installs:
        assert "--require-hashes" in part
        assert "--only-binary :all:" in part
    for part in built.split("&&"):
        assert "pip" not in part or "--no-index" in part


def test_the_last_stage_installs_no_compiler_and_nothing_unpinned() -> None:
    installed = [
        package
        for rest in LAST.all("RUN")
        for found in re.findall(r"apt-get install ([^&]+)", rest)
        for package in found.split()
        if not package.startswith("--")
    ]
    assert [re.sub("=.+", "=", package) for package in installed] == ["libgomp1="]


def test_it_runs_as_nobody_who_owns_what_it_runs() -> None:
    user = re.fullmatch(r"(\d+):(\d+)", LAST.last("USER").rest)
    assert user is not None
    assert min(map(int, user.groups())) >= 10_000
    assert LAST.all("COPY") == ["--from=build /opt/morrow /opt/morrow"]  # no --chown


def test_where_it_writes_is_below_what_a_read_only_root_leaves() -> None:
    env = LAST.pairs("ENV")
    for name in ("HOME", "XDG_CACHE_HOME", "MPLCONFIGDIR"):
        assert env[name] == "/tmp" or env[name].startswith("/tmp/")
    for name in ("MORROW_MODEL_STORAGE_PATH", "MORROW_SPOOL_PATH"):
        assert env[name].startswith("/var/lib/morrow/")
    assert env["PYTHONDONTWRITEBYTECODE"] == "1"


def test_every_setting_that_it_sets_exists() -> None:
    named = {name for name in LAST.pairs("ENV") if name.startswith("MORROW_")}
    assert named
    assert named <= {f"MORROW_{field.upper()}" for field in Settings.model_fields}


def test_its_programs_exist() -> None:
    assert isinstance(COMMANDS, TyperGroup)
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert LAST.last("ENTRYPOINT").listed() == list(scripts)
    name, *arguments = LAST.last("CMD").listed()
    COMMANDS.commands[name].make_context(name, arguments)  # UsageError where it takes no such


def test_modules_that_the_build_runs_exist() -> None:
    run = " ".join(rest for stage in FILE.stages for rest in stage.all("RUN"))
    named = set(re.findall(r"-m (infrastructure[\w.]+)", run))
    assert {"infrastructure.docker.parts", "infrastructure.docker.smoke_fit"} <= named
    for module in named:
        assert (ROOT / f"{module.replace('.', '/')}.py").is_file()


def test_what_is_copied_is_there_and_is_sent_to_the_builder() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert ignored[1] == "*"
    sent = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    assert sent == set(BUILD.copied())
    for name in sent:
        assert (ROOT / name).exists()


def test_it_is_copied_whole_what_the_wheel_is_made_of() -> None:
    hatch = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]
    wanted = {name.partition("/")[0] for name in hatch["build"]["targets"]["wheel"]["packages"]}
    assert wanted <= set(BUILD.copied())


def health_check(port: int) -> int:
    python, *rest = LAST.last("HEALTHCHECK").listed()
    assert python == "python"
    asked = [sys.executable, *(word.replace(":8000/", f":{port}/") for word in rest)]
    return subprocess.run(asked, capture_output=True, check=False).returncode


def test_the_health_check_asks_a_live_process_and_no_dead_one(served: Programs) -> None:
    assert health_check(served.port) == 0
    assert health_check(1) != 0


def test_every_extra_that_may_be_built_in_is_tried_before_it_is_an_image() -> None:
    """`dev` apart: nobody serves with what tests need."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    assert set(MODULES_OF) == set(extras) - {"dev"}
    assert all("${EXTRAS}" in rest for rest in LAST.all("RUN") if "smoke_fit" in rest)
    for stage in FILE.stages:
        assert 'EXTRAS=""' in stage.all("ARG")


@pytest.mark.parametrize(("extras", "name"), [("", "morrow"), ("ray", "morrow-ray")])
def test_an_image_with_extras_has_a_name_of_its_own(extras: str, name: str) -> None:
    given = [f"PYTHON_DIGEST=sha256:{'0' * 64}", f"EXTRAS={extras}", "BUILDER=builder"]
    told = subprocess.run(
        ["make", "--dry-run", "--no-print-directory", "image", *given],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    ).stdout
    command = told.replace("\\\n", "").splitlines()[-1]
    assert f"builder --tag {name} " in command
    assert f'--build-arg EXTRAS="{extras}"' in command


@pytest.mark.parametrize("digest", ["", "latest", "sha256:12"])
def test_no_image_is_made_without_a_digest(digest: str) -> None:
    made = subprocess.run(
        ["make", "--no-print-directory", "image", f"PYTHON_DIGEST={digest}", "BUILDER=false"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert made.returncode != 0
    assert "docs/containers.md" in made.stderr
