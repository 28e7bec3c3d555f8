"""What the service reads from its environment: one frozen object, refused at start by name."""

import sys
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import unquote, urlsplit

from pydantic import (
    BeforeValidator,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from shared.jws_algorithms import KEY_KINDS
from shared.key_strength import weakness
from shared.origin import origin_of
from shared.secure_url import require_secure

Positive = Annotated[int, Field(ge=1)]
NonNegative = Annotated[int, Field(ge=0)]
Days = Annotated[int, Field(ge=1, le=100_000)]
Host = Annotated[
    str,
    StringConstraints(pattern=r"^(?:(?:\*\.)?[a-z0-9-]+(?:\.[a-z0-9-]+)*|\[[0-9a-f:.]+\])$"),
]
"""A name without a port, any name below one (`*.example.com`), or an address."""

RayAddress = Annotated[
    str,
    StringConstraints(pattern=r"^ray://(?:[A-Za-z0-9.-]+|\[[0-9a-fA-F:.]+\]):[0-9]{1,5}$"),
]
"""Where a Ray cluster takes clients: `ray://host:10001`."""


def _split(value: object) -> object:
    return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value


Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
"""Separated by commas or spaces."""

SECRETS = (
    *("database_url", "direct_database_url", "migration_database_url", "backup_database_url"),
    *("operator_key", "sealing_key", "open_meteo_api_key"),
)


class SettingsRefused(Exception):
    """The environment holds values the service will not start with; one line each."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


class Settings(BaseSettings):
    """Each field is read from `MORROW_` + its name in capitals."""

    model_config = SettingsConfigDict(env_prefix="MORROW_", frozen=True, extra="ignore")

    database_url: SecretStr
    direct_database_url: SecretStr | None = None  # past a pooler: locks, LISTEN, migrations
    migration_database_url: SecretStr | None = None
    backup_database_url: SecretStr | None = None  # a login that sees every tenant
    operator_key: SecretStr | None = None
    sealing_key: SecretStr | None = None  # seals the credentials of tenants' sources
    allowed_origins: Words = ()  # of pages that may open streams, beside the API's own

    db_pool_size: Positive = 10
    db_max_overflow: NonNegative = 20
    db_pool_timeout: Annotated[float, Field(gt=0)] = 30
    db_pool_recycle: Positive = 3600
    db_pool_pre_ping: bool = True
    db_echo: bool = False
    db_pooler: Literal["none", "transaction"] = "none"

    model_storage_path: str = ".morrow/models"
    model_backup_enabled: bool = True
    model_versioning_enabled: bool = True

    max_training_time_minutes: Annotated[float, Field(gt=0, le=24 * 60)] = 30
    max_concurrent_training_jobs: Positive = 3
    max_running_tasks: Positive | None = None  # of one tenant at once, on all workers
    min_training_data_days: Annotated[int, Field(ge=14)] = 30
    workers: Annotated[int, Field(ge=1, le=256)] | None = None
    execution_mode: Literal["auto", "local", "cluster"] = "auto"  # what a job's `auto` means here
    ray_address: RayAddress | None = None  # none: no cluster
    ray_tasks: Annotated[int, Field(ge=1, le=1024)] | None = None  # of this worker, on the cluster
    lease_seconds: Annotated[float, Field(gt=0)] = 20
    renew_seconds: Annotated[float, Field(gt=0)] = 5
    drain_seconds: Annotated[float, Field(ge=0)] = 25

    spool_path: Path = Path(".morrow/spool")
    spool_bytes: Positive = 4 * 2**30
    spool_tenant_bytes: Positive = 512 * 2**20
    request_seconds: Annotated[float, Field(gt=0, le=3600)] = 30
    attempts_per_minute: Positive = 600  # with keys that are not good, of one address
    stream_lifetime_seconds: Annotated[float, Field(gt=0, le=86_400)] = 3600
    known_key_seconds: Annotated[float, Field(ge=0, le=86_400)] = 300
    forecast_cache_bytes: NonNegative = 64 * 2**20
    retraining_every_seconds: Annotated[float, Field(gt=0, le=86400)] = 300
    pruning_every_seconds: Annotated[float, Field(gt=0, le=86400)] = 3600
    retain_runs_days: Positive = 90
    retain_events_days: Positive = 30
    retain_trials_days: Positive = 90
    retain_orphans_hours: Positive = 24
    retain_order_lines_days: Days = 400
    retain_weather_days: Days = 3650
    retain_traffic_days: Days = 3650

    source_look_seconds: Annotated[float, Field(gt=0, le=86400)] = 60
    sync_timeout_seconds: Annotated[float, Field(gt=0, le=86400)] = 1800
    stale_sales_days: Positive = 3
    open_meteo_archive_url: str = "https://archive-api.open-meteo.com"
    open_meteo_forecast_url: str = "https://api.open-meteo.com"
    open_meteo_previous_runs_url: str = "https://previous-runs-api.open-meteo.com"
    open_meteo_api_key: SecretStr | None = None
    http_connect_seconds: Annotated[float, Field(gt=0)] = 30
    http_read_seconds: Annotated[float, Field(gt=0)] = 60
    http_write_seconds: Annotated[float, Field(gt=0)] = 30
    http_pool_seconds: Annotated[float, Field(gt=0)] = 30
    http_max_bytes: Positive = 16 * 2**20  # of one answer, decoded
    http_connections: Positive = 8  # to one upstream, of each process
    collect_timeout_seconds: Annotated[float, Field(gt=0)] = 120
    allow_private_upstreams: bool = False
    breaker_sales_failures: Positive = 5
    breaker_sales_open_seconds: Annotated[float, Field(gt=0)] = 60
    breaker_weather_failures: Positive = 3
    breaker_weather_open_seconds: Annotated[float, Field(gt=0)] = 30
    breaker_traffic_failures: Positive = 3
    breaker_traffic_open_seconds: Annotated[float, Field(gt=0)] = 30
    breaker_probes: Positive = 1

    allowed_hosts: Annotated[tuple[Host, ...], NoDecode] = ()  # none: any
    oidc_issuer: str | None = None  # whose tokens are a second way in; none: keys alone
    oidc_audience: Annotated[str | None, Field(validate_default=True)] = None
    oidc_jwks_url: str | None = None  # none: the issuer's discovery document says
    oidc_algorithms: Words = ("RS256", "ES256")
    oidc_types: Words = ("at+jwt", "jwt")  # of a header's `typ`; `missing`: without one as well
    oidc_tenant_claim: Annotated[str, Field(min_length=1)] = "tenant_id"
    oidc_scopes_claim: Annotated[str, Field(min_length=1)] = "scope"
    oidc_leeway_seconds: Annotated[float, Field(ge=0, le=300)] = 30
    oidc_fresh_seconds: Annotated[float, Field(gt=0, le=3600)] = 300
    oidc_stale_seconds: Annotated[float, Field(ge=0, le=86_400)] = 3600
    metrics_host: str = "127.0.0.1"
    metrics_port: Annotated[int, Field(ge=0, le=65535)] | None = None
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["auto", "json", "console"] = "auto"

    @property
    def longest_idle(self) -> timedelta:
        """In a transaction. Half a lease: a process that freezes in one is cut off before those
        who wait for its rows run out of theirs."""
        return timedelta(seconds=self.lease_seconds / 2)

    @field_validator(
        *("database_url", "direct_database_url", "migration_database_url", "backup_database_url")
    )
    @classmethod
    def _is_postgres(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None:
            return None
        scheme = urlsplit(value.get_secret_value()).scheme
        if scheme not in {"postgresql", "postgres", "postgresql+asyncpg"}:
            raise ValueError(f"scheme {scheme!r} is not postgresql://")
        return value

    @field_validator("operator_key", "sealing_key")
    @classmethod
    def _is_hard_to_guess(cls, value: SecretStr | None) -> SecretStr | None:
        fault = None if value is None else weakness(value.get_secret_value())
        if fault is not None:
            raise ValueError(fault)
        return value

    @field_validator("allowed_hosts", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return [part.strip().lower() for part in value.split(",") if part.strip()]

    @field_validator("allowed_origins")
    @classmethod
    def _are_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(origin_of, value))

    @field_validator("oidc_issuer", "oidc_jwks_url")
    @classmethod
    def _is_believed(cls, value: str | None) -> str | None:
        return None if value is None else require_secure(value)

    @field_validator("oidc_audience")
    @classmethod
    def _has_an_audience(cls, value: str | None, given: ValidationInfo) -> str | None:
        if given.data.get("oidc_issuer") is not None and not value:
            raise ValueError("with MORROW_OIDC_ISSUER, name the audience that tokens must be for")
        return value

    @field_validator("oidc_algorithms")
    @classmethod
    def _are_of_public_keys(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        refused = [name for name in value if name not in KEY_KINDS]
        if refused or not value:
            raise ValueError(f"{refused} are not among {', '.join(KEY_KINDS)}")
        return value

    @classmethod
    def load(cls, **known: Any) -> Self:
        """Read the environment, or raise `SettingsRefused` naming each variable and its fault.

        What is `known`, by field, is not looked for there.
        """
        try:
            return cls(**known)
        except ValidationError as error:
            raise SettingsRefused([_problem(item) for item in error.errors()]) from None

    def direct_dsn(self) -> str:
        """Where a session is the connection's own for as long as it lives."""
        return (self.direct_database_url or self.database_url).get_secret_value()

    def migration_dsn(self) -> str:
        """Whose login may change the schema."""
        given = self.migration_database_url
        return given.get_secret_value() if given else self.direct_dsn()

    def backup_dsn(self) -> str:
        """Whose login sees every tenant."""
        given = self.backup_database_url
        return given.get_secret_value() if given else self.migration_dsn()

    def secrets(self) -> list[str]:
        """Every secret as it might be said, those within addresses too: for whoever cuts them out
        of what is said."""
        given = [value for _, value in self if isinstance(value, SecretStr)]
        said = [value.get_secret_value() for value in given]
        passwords = [urlsplit(text).password or "" for text in said if "://" in text]
        return [*said, *passwords, *map(unquote, passwords)]

    def model_root(self) -> str | Path:
        """Where artifacts live: an `s3://` address as it stands, or a local directory."""
        if self.model_storage_path.startswith("s3://"):
            return self.model_storage_path
        return Path(self.model_storage_path)

    def console_logs(self) -> bool:
        """Whether people read the log directly, rather than a collector."""
        return self.log_format == "console" or (self.log_format == "auto" and sys.stderr.isatty())


def _problem(item: object) -> str:
    assert isinstance(item, dict)
    name = "MORROW_" + str(item["loc"][0]).upper()
    if item["type"] == "missing":
        return f"{name} is not set"
    if item["loc"][0] in SECRETS:
        return f"{name}: {item['msg']}"
    return f"{name}={item['input']!r}: {item['msg']}"
