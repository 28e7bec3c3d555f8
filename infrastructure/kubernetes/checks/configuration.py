"""What a container is told is what its program knows: its command line, and its settings."""

from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from ipaddress import ip_network

from typer.core import TyperGroup
from typer.main import get_command

from infrastructure.kubernetes.checks.manifests import RAY, Manifests, containers_of
from infrastructure.kubernetes.checks.node import Node
from services.training.cli import app
from services.training.settings import SECRETS, Settings, SettingsRefused

PREFIX = "MORROW_"
NOWHERE = "NOT_OF_THIS_MACHINE_"
"""Whose variables nobody sets: a check does not read those of whoever runs it."""
OTHERS = {
    *("FORWARDED_ALLOW_IPS", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
    *("AWS_REGION", "AWS_ENDPOINT_URL"),
    *("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_SERVICE_NAME"),
    *("RAY_AUTH_MODE", "RAY_AUTH_TOKEN"),
    *("OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG", "OTEL_RESOURCE_ATTRIBUTES"),
}
"""Read by uvicorn, obstore, Ray and OpenTelemetry."""
ITS_OWN_SERVER = "--rehearse"
"""With it no database is given: `morrow restore` starts one."""
MADE_UP = "postgresql://somebody@somewhere/morrow"  # in the place of an address that a Secret holds


def configuration(manifests: Manifests) -> Iterator[str]:
    """What a container's program would refuse, or not know."""
    for title, workload, container in containers_of(manifests):
        if workload.kind == RAY:  # no program of ours: cluster.py
            continue
        given = environment(manifests, container)
        for fault in (*_of_names(given), *_of_values(container, given)):
            yield f"{title}: {fault}"
        for fault in _of_command(container, given):
            yield f"{title}: {fault}"
        for variable in container["env"].each():
            name = variable["name"].text()
            if name.removeprefix(PREFIX).lower() in SECRETS and not _is_of_a_secret(variable):
                yield f"{title}: {name} is not of a Secret"


def environment(manifests: Manifests, container: Node) -> dict[str, str]:
    """The container's variables; made up where they are of a Secret."""
    given: dict[str, str] = {}
    for source in container["envFrom"].each():
        settings = manifests.find("ConfigMap", source.at("configMapRef", "name").text())
        given |= settings["data"].texts()
    for variable in container["env"].each():
        name = variable["name"].text()
        given[name] = _made_up(name) if variable["valueFrom"] else variable["value"].text()
    return given


def settings_of(manifests: Manifests, container: Node) -> Settings:
    """As its program would read them. Raises SettingsRefused."""
    return _settings(environment(manifests, container))


def _settings(given: dict[str, str]) -> Settings:
    known = {k.removeprefix(PREFIX).lower(): v for k, v in given.items() if k.startswith(PREFIX)}
    return Settings.load(_env_prefix=NOWHERE, **known)


def _made_up(name: str) -> str:
    return MADE_UP if name.endswith("DATABASE_URL") else sha256(name.encode()).hexdigest()


def _is_of_a_secret(variable: Node) -> bool:
    return bool(variable.at("valueFrom", "secretKeyRef", "name"))


def _of_names(given: dict[str, str]) -> Iterator[str]:
    for name in sorted(set(given) - OTHERS - _read_by_commands()):
        if name.removeprefix(PREFIX).lower() not in Settings.model_fields or PREFIX not in name:
            yield f"nothing reads {name}"
    for network in given.get("FORWARDED_ALLOW_IPS", "").split(","):
        if network and not ip_network(network).is_private:
            yield f"FORWARDED_ALLOW_IPS believes whoever calls from {network}"


def _of_values(container: Node, given: dict[str, str]) -> Iterator[str]:
    practising = ITS_OWN_SERVER in [each.text() for each in container["args"].each()]
    database = {f"{PREFIX}DATABASE_URL": MADE_UP} if practising else {}
    try:
        _settings({**database, **given})
    except SettingsRefused as refused:
        yield from refused.problems


def _of_command(container: Node, given: dict[str, str]) -> Iterator[str]:
    """The image's entry is `morrow`; what it is given must be a command line of it."""
    arguments = [each.text() for each in container["args"].each()]
    if container["command"]:
        yield "command is set, in the place of the image's entry"
    name, *rest = arguments or [""]
    command = _program().commands.get(name)
    if command is None:
        yield f"morrow has no command {name!r}"
        return
    known = {option for each in command.params for option in each.opts}
    for option in rest:
        if option.startswith("-") and option.partition("=")[0] not in known:
            yield f"morrow {name} has no option {option}"
    for each in command.params:
        if each.required and each.envvar and each.envvar not in given:
            yield f"morrow {name} is not told {each.envvar}"


def _program() -> TyperGroup:
    program = get_command(app)
    assert isinstance(program, TyperGroup)
    return program


@cache
def _read_by_commands() -> frozenset[str]:
    """Variables in the place of an argument or an option."""
    options = (each for command in _program().commands.values() for each in command.params)
    return frozenset(each.envvar for each in options if isinstance(each.envvar, str))
