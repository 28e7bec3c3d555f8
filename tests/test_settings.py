"""Settings: the documented defaults, and a wrong value refused by its name."""

import pytest

from services.training.settings import Settings, SettingsRefused

DSN = "postgresql://morrow_api:secret@localhost/morrow"
DEFAULTS = {
    "db_pool_size": 10,
    "db_max_overflow": 20,
    "db_pool_timeout": 30,
    "db_pool_recycle": 3600,
    "db_pool_pre_ping": True,
    "db_echo": False,
    "max_training_time_minutes": 30,
    "max_concurrent_training_jobs": 3,
    "min_training_data_days": 30,
    "model_backup_enabled": True,
    "model_versioning_enabled": True,
}


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in list(os.environ):
        if name.startswith("MORROW_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("MORROW_DATABASE_URL", DSN)


@pytest.mark.parametrize(("name", "value"), DEFAULTS.items())
def test_defaults_are_the_documented_ones(name: str, value: object) -> None:
    assert getattr(Settings.load(), name) == value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DB_POOL_SIZE", "0"),
        ("DB_POOL_SIZE", "many"),
        ("DB_MAX_OVERFLOW", "-1"),
        ("DB_POOL_TIMEOUT", "0"),
        ("DB_POOL_RECYCLE", "soon"),
        ("DB_POOL_PRE_PING", "perhaps"),
        ("DB_ECHO", "loud"),
        ("MAX_TRAINING_TIME_MINUTES", "-5"),
        ("MAX_CONCURRENT_TRAINING_JOBS", "0"),
        ("MIN_TRAINING_DATA_DAYS", "3"),
        ("MODEL_BACKUP_ENABLED", "sometimes"),
        ("MODEL_VERSIONING_ENABLED", "2"),
        ("DATABASE_URL", "mysql://localhost/morrow"),
        ("OPERATOR_KEY", "short"),
        ("OPERATOR_KEY", "change-me-operator-key"),
        ("SEALING_KEY", "sealing-key-for-development"),
        ("DIRECT_DATABASE_URL", "mysql://localhost/morrow"),
        ("DB_POOLER", "statement"),
        ("WORKERS", "0"),
        ("EXECUTION_MODE", "moon"),
        ("RAY_ADDRESS", "127.0.0.1:6379"),
        ("RAY_ADDRESS", "ray://head"),
        ("RAY_TASKS", "0"),
        ("METRICS_PORT", "70000"),
        ("LOG_LEVEL", "chatty"),
    ],
)
def test_a_wrong_value_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"MORROW_{name}", value)
    with pytest.raises(SettingsRefused, match=f"MORROW_{name}"):
        Settings.load()


def test_a_database_must_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MORROW_DATABASE_URL")
    with pytest.raises(SettingsRefused, match="MORROW_DATABASE_URL is not set"):
        Settings.load()


def test_a_refusal_repeats_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MORROW_OPERATOR_KEY", "canary-key")
    monkeypatch.setenv("MORROW_DATABASE_URL", "mysql://user:canary-password@localhost/morrow")
    with pytest.raises(SettingsRefused) as refused:
        Settings.load()
    assert "canary" not in str(refused.value)


def test_settings_show_no_secret_and_cannot_be_changed() -> None:
    settings = Settings.load()
    assert "secret" not in repr(settings)
    with pytest.raises(ValueError, match="frozen"):
        settings.db_pool_size = 3
