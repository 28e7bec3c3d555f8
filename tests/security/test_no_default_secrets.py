"""Nothing that guards anything has a value before somebody gave it one."""

import re
import subprocess
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from services.training.settings import SECRETS, Settings
from shared.redaction import IS_SENSITIVE
from shared.secret_file import kept_secret
from tests.security.deployed import default_secrets

ROOT = Path(__file__).parents[2]
FIELDS: dict[str, FieldInfo] = Settings.model_fields


def is_secret(annotation: Any) -> bool:
    return annotation is SecretStr or any(map(is_secret, get_args(annotation)))


SECRET_FIELDS = [name for name, field in FIELDS.items() if is_secret(field.annotation)]


@pytest.mark.parametrize("name", SECRET_FIELDS)
def test_a_secret_has_no_default(name: str) -> None:
    assert FIELDS[name].is_required() or FIELDS[name].default is None


@pytest.mark.parametrize("name", FIELDS)
def test_no_default_is_shaped_like_a_secret(name: str) -> None:
    default = str(FIELDS[name].default)
    assert not re.search(r"://[^/]*@|mrw_|[A-Za-z0-9+/_-]{24,}", default)


@pytest.mark.parametrize("name", FIELDS)
def test_what_is_named_like_a_secret_is_kept_like_one(name: str) -> None:
    """Never shown by a repr, never repeated by a refusal, and cut out of the log."""
    if IS_SENSITIVE.fullmatch(name) or name.endswith("_database_url"):
        assert name in SECRET_FIELDS


def test_no_refusal_repeats_a_secret() -> None:
    assert set(SECRETS) == set(SECRET_FIELDS)


def test_the_log_knows_every_secret_and_the_passwords_within() -> None:
    given = {name: f"postgresql://me:{name}%2Fx@host/{name}" for name in SECRET_FIELDS}
    settings = Settings.model_construct(**{name: SecretStr(v) for name, v in given.items()})
    known = set(settings.secrets())
    for name in SECRET_FIELDS:
        assert {given[name], f"{name}%2Fx", f"{name}/x"} <= known


def test_keys_that_are_made_are_random_and_long(tmp_path: Path) -> None:
    made = {kept_secret(tmp_path / str(number)) for number in range(20)}
    assert len(made) == 20
    assert min(map(len, made)) >= 64  # 256 bits in hex


def test_no_file_of_a_deployment_sets_one() -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "-z"], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout.split("\0")
    read = {name: (ROOT / name).read_bytes().decode(errors="replace") for name in tracked if name}
    assert [found for name, text in read.items() for found in default_secrets(name, text)] == []


PLANTED = {
    "compose.yaml": "services: {db: {environment: {POSTGRES_PASSWORD: morrow}}}",
    "docker-compose.yml": "services: {db: {environment: ['POSTGRES_PASSWORD=morrow']}}",
    "infrastructure/docker/compose.yaml": (
        "services: {api: {environment: {MORROW_OPERATOR_KEY: '${MORROW_OPERATOR_KEY:-changeme}'}}}"
    ),
    "api.yaml": "spec: [{env: [{name: MORROW_SEALING_KEY, value: '0123'}]}]",
    "secret.yml": "kind: Secret\nstringData: {url: 'postgresql://x'}",
    "url.yaml": "env: [{name: MORROW_DATABASE_URL, value: 'postgresql://api:api@db/morrow'}]",
    "Dockerfile": "FROM python\nENV MORROW_OPERATOR_KEY=changeme",
    ".env": "POSTGRES_PASSWORD=morrow",
}


@pytest.mark.parametrize("name", PLANTED)
def test_one_that_is_planted_is_found(name: str) -> None:
    assert default_secrets(name, PLANTED[name])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("compose.yaml", "services: {db: {environment: {POSTGRES_PASSWORD: '${DB_PASSWORD:?}'}}}"),
        ("api.yaml", "env: [{name: MORROW_OPERATOR_KEY, valueFrom: {secretKeyRef: {key: k}}}]"),
        ("url.yaml", "env: [{name: MORROW_DATABASE_URL, value: 'postgresql://api:$(PW)@db/m'}]"),
        (".env.example", "MORROW_OPERATOR_KEY="),
        ("notes.md", "POSTGRES_PASSWORD=morrow"),
    ],
)
def test_what_others_must_give_is_none(name: str, text: str) -> None:
    assert default_secrets(name, text) == []
