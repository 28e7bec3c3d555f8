"""compose.yaml says what the code has, and nothing that guards anything has a default in it."""

import asyncio
import os
import re
import stat
import subprocess
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import asyncpg
import pytest
import yaml
from pydantic import SecretStr
from typer.core import TyperGroup
from typer.main import get_command

from infrastructure.docker.environment import environment, main, variables
from services.training.cli import app
from services.training.serving import ANSWER_SECONDS
from services.training.settings import Settings
from services.training.streams.hub import LEAVE_SECONDS
from shared.artifacts.endpoint import plain_http_is_safe
from shared.postgres import RunningPostgres
from shared.postgres.binaries import find_binaries
from tests.infrastructure.dockerfile import Dockerfile

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "compose.yaml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"] == "morrow"}
OTHERS = {name: service for name, service in SERVICES.items() if name not in OURS}
DOCKER: Final = ROOT / "infrastructure/docker"
GIVEN = re.compile(r"\$\{(\w+):\?[^}]*\}")


def given() -> dict[str, str]:
    """What the program that makes `.env` gives."""
    return dict(line.split("=", 1) for line in environment(TEXT).splitlines())


def told(service: dict[str, Any], values: dict[str, str]) -> dict[str, str]:
    """The environment of a service, as Compose would tell it."""
    pairs = service.get("environment", {}).items()
    return {name: GIVEN.sub(lambda found: values[found[1]], str(value)) for name, value in pairs}


def command_of(name: str) -> list[str]:
    return [str(word) for word in OURS[name]["command"]]


def read_by(command: str) -> set[str]:
    """Variables that a command takes for one of its arguments, beside the settings."""
    commands = get_command(app)
    assert isinstance(commands, TyperGroup)
    named = (param.envvar for param in commands.commands[command].params)
    return {each for each in named if isinstance(each, str)}


def test_the_programs_of_the_product_are_there() -> None:
    assert set(OURS) == {"api", "worker", "migrate", "backup"}


@pytest.mark.parametrize("name", OURS)
def test_a_program_is_one_of_the_command_and_takes_its_arguments(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = get_command(app)
    assert isinstance(commands, TyperGroup)
    first, *arguments = command_of(name)
    for variable in read_by(first) & set(OURS[name]["environment"]):
        monkeypatch.setenv(variable, OURS[name]["environment"][variable])
    commands.commands[first].make_context(first, arguments)


@pytest.mark.parametrize("name", OURS)
def test_its_settings_exist_and_are_taken(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in [each for each in os.environ if each.startswith("MORROW_")]:
        monkeypatch.delenv(variable)
    environ = told(OURS[name], given())
    for variable, value in environ.items():
        monkeypatch.setenv(variable, value)
    settings = Settings.load()
    for variable, value in environ.items():
        if variable.startswith("MORROW_") and variable not in read_by(command_of(name)[0]):
            taken = getattr(settings, variable.removeprefix("MORROW_").lower())
            assert value == (
                taken.get_secret_value() if isinstance(taken, SecretStr) else str(taken)
            )


def test_each_knows_the_secrets_it_needs_and_no_others() -> None:
    asked = {name: set(GIVEN.findall(str(service))) for name, service in SERVICES.items()}
    assert "MORROW_OPERATOR_KEY" not in asked["worker"]
    assert "WORKER_DATABASE_PASSWORD" not in asked["api"]
    assert "API_DATABASE_PASSWORD" not in asked["worker"]
    assert "POSTGRES_PASSWORD" not in asked["api"] | asked["worker"]


@pytest.mark.parametrize("name", ["api", "worker"])
def test_artifacts_go_unencrypted_over_loopback_alone(name: str) -> None:
    assert plain_http_is_safe(told(OURS[name], given()))
    assert OURS[name]["network_mode"] == "service:s3"
    assert "-ip.bind=127.0.0.1" in SERVICES["s3"]["command"]


@pytest.mark.parametrize("name", OURS)
def test_a_program_may_write_nowhere_but_where_it_must(name: str) -> None:
    service = OURS[name]
    assert service["read_only"] is True
    assert service["tmpfs"] == ["/tmp"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "user" not in service  # the image's own
    assert set(service.get("volumes", ())) <= {"spool:/var/lib/morrow", "./backups:/backups"}


def test_they_get_the_time_that_they_take_to_leave() -> None:
    api, worker = (int(OURS[name]["stop_grace_period"][:-1]) for name in ("api", "worker"))
    request = float(Settings.model_fields["request_seconds"].default)
    assert "MORROW_REQUEST_SECONDS" not in told(OURS["api"], given())
    assert api > LEAVE_SECONDS + request + ANSWER_SECONDS
    assert worker > float(Settings.model_fields["drain_seconds"].default)


def test_the_database_is_migrated_before_anything_works_on_it() -> None:
    for name in ("api", "worker"):
        assert OURS[name]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
        assert OURS[name]["depends_on"]["bucket"]["condition"] == "service_completed_successfully"
    assert OURS["migrate"]["depends_on"]["postgres"]["condition"] == "service_healthy"


@pytest.mark.parametrize("name", SERVICES)
def test_it_waits_for_services_that_can_say_they_are_well(name: str) -> None:
    for other, wait in SERVICES[name].get("depends_on", {}).items():
        if wait["condition"] == "service_healthy":
            assert SERVICES[other]["healthcheck"]["test"]
        else:
            assert SERVICES[other]["restart"] == "no"


@pytest.mark.parametrize("name", OTHERS)
def test_images_of_others_are_pinned_by_a_digest_that_must_be_given(name: str) -> None:
    assert re.fullmatch(
        r"docker\.io/[\w/]+:[\w.-]*\d[\w.-]*@\$\{\w+_DIGEST:\?[^}]+\}", OTHERS[name]["image"]
    )


def test_nothing_has_a_default_and_nothing_is_asked_for_by_another_way() -> None:
    assert set(re.findall(r"\$\{?\w+", TEXT)) == {f"${{{name}" for name in variables(TEXT)}


@pytest.mark.parametrize("name", SERVICES)
def test_no_port_is_open_to_others(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", ()))


@pytest.mark.parametrize("name", SERVICES)
def test_files_that_it_mounts_are_there(name: str) -> None:
    for mount in SERVICES[name].get("volumes", ()):
        source = mount.partition(":")[0]
        if source.startswith("./infrastructure/docker/"):
            assert (ROOT / source).is_file()
        elif not source.startswith("./"):
            assert source in COMPOSE["volumes"]


def test_prometheus_reads_each_process_where_it_tells() -> None:
    read = yaml.safe_load((DOCKER / "prometheus/prometheus.yaml").read_text())
    targets = {
        target
        for job in read["scrape_configs"]
        for config in job["static_configs"]
        for target in config["targets"]
    }
    ports = {name: OURS[name]["environment"]["MORROW_METRICS_PORT"] for name in ("api", "worker")}
    assert targets == {f"{name}:{port}" for name, port in ports.items()}
    assert set(SERVICES["s3"]["networks"]["default"]["aliases"]) == set(ports)


def test_grafana_asks_the_prometheus_that_is_there() -> None:
    (source,) = yaml.safe_load((DOCKER / "grafana/datasources.yaml").read_text())["datasources"]
    assert source["url"] == "http://prometheus:9090"
    provided = yaml.safe_load((DOCKER / "grafana/dashboards.yaml").read_text())["providers"]
    mounted = [mount.split(":")[1] for mount in SERVICES["grafana"]["volumes"]]
    assert provided[0]["options"]["path"] in mounted


def test_what_is_kept_is_on_a_volume() -> None:
    env = Dockerfile.read(ROOT / "Dockerfile").stages[-1].pairs("ENV")
    assert env["MORROW_SPOOL_PATH"].startswith("/var/lib/morrow/")
    assert OURS["api"]["volumes"] == ["spool:/var/lib/morrow"]


def test_secrets_are_random_long_and_another_each_time() -> None:
    one, other = given(), given()
    assert list(one) == variables(TEXT)
    for name, value in one.items():
        if name.endswith("_DIGEST"):
            assert value == ""
        else:
            assert len(value) >= 64
            assert value != other[name]
    made = [value for value in one.values() if value]
    assert len(set(made)) == len(made)


def test_the_file_of_secrets_is_its_owners_and_is_never_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    output = tmp_path / ".env"
    assert main([str(output)]) == 0
    assert stat.S_IMODE(output.stat().st_mode) == 0o600
    before = output.read_text()
    assert main([str(output)]) == 1
    assert output.read_text() == before


@pytest.mark.parametrize("name", [".env", "morrow.env", "backups/manifest"])
def test_git_does_not_take_what_is_secret(name: str) -> None:
    asked = ["git", "check-ignore", "--no-index", "--quiet", name]
    assert subprocess.run(asked, check=False, cwd=ROOT).returncode == 0


@pytest.mark.parametrize("name", OURS)
def test_every_further_setting_can_be_given_and_none_must(name: str) -> None:
    assert OURS[name]["env_file"] == [{"path": "morrow.env", "required": False}]


def test_a_backup_goes_elsewhere_than_what_it_is_of() -> None:
    backup = OURS["backup"]
    assert backup["profiles"] == ["backup"]  # not started with the rest
    (mount,) = backup["volumes"]
    assert mount.partition(":")[2] == backup["environment"]["MORROW_BACKUP_PLACE"]
    assert mount.partition(":")[0].startswith("./")  # no volume, which `down --volumes` deletes
    assert backup["environment"].items() >= COMPOSE["x-store"].items()


def test_the_logins_are_made_with_the_passwords_they_are_given(
    postgres_server: RunningPostgres,
) -> None:
    """By the script itself, under other names: a test's server has those of the service."""
    script = (DOCKER / "postgres/roles.sql").read_text()
    made = {role: f"made_{uuid4().hex}" for role in ("morrow_api", "morrow_worker")}
    for role, name in made.items():
        script = script.replace(f" {role} ", f" {name} ")
    passwords = {"API_DATABASE_PASSWORD": "o'ne\"", "WORKER_DATABASE_PASSWORD": "$two; --"}
    psql = [find_binaries().folder / "psql", "--no-psqlrc", postgres_server.url()]
    try:
        subprocess.run(psql, input=script, text=True, check=True, env=os.environ | passwords)
        for name, password in zip(made.values(), passwords.values(), strict=True):
            assert asyncio.run(logs_in(postgres_server.url(), name, password))
            assert not asyncio.run(logs_in(postgres_server.url(), name, "another"))
    finally:
        dropped = "".join(f"DROP ROLE IF EXISTS {name};" for name in made.values())
        subprocess.run(psql, input=dropped, text=True, check=True)


async def logs_in(url: str, name: str, password: str) -> bool:
    try:
        connection = await asyncpg.connect(url, user=name, password=password)
    except asyncpg.InvalidPasswordError:
        return False
    await connection.close()
    return True


def test_without_a_password_no_login_is_made(postgres_server: RunningPostgres) -> None:
    script = (DOCKER / "postgres/roles.sql").read_text()
    bare = {name: value for name, value in os.environ.items() if "PASSWORD" not in name}
    psql = [find_binaries().folder / "psql", "--no-psqlrc", postgres_server.url()]
    ran = subprocess.run(
        psql, input=script.replace("morrow_", "unmade_"), text=True, check=False, env=bare
    )
    assert ran.returncode != 0


def test_make_makes_it() -> None:
    asked = ["make", "--no-print-directory", "--dry-run", "compose-env"]
    said = subprocess.run(asked, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert "-m infrastructure.docker.environment" in said
