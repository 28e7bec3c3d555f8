"""The service's own keys: hard to guess, and nobody's but their owner's to read."""

import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from services.training.commands.checks.verdict import Verdict, failed, warning, well
from shared.key_strength import weakness

OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class ServiceKey:
    """Where a key comes from, and what it means that there is none."""

    check: str
    variable: str
    file: str
    without: str


KEYS = (
    ServiceKey(
        "operator key",
        "MORROW_OPERATOR_KEY",
        "operator.key",
        "so nobody can make a tenant: set it to 16 random characters or more",
    ),
    ServiceKey(
        "sealing key",
        "MORROW_SEALING_KEY",
        "sealing.key",
        "so the credentials of sources are stored as they are: set it to 16 random characters or "
        "more, the same for the API and the workers",
    ),
)


def check_keys(data_dir: Path | None, environ: Mapping[str, str]) -> list[Verdict]:
    """A verdict on each key, from its variable or else from its file below `data_dir`."""
    return [_check_key(key, data_dir, environ) for key in KEYS]


def _check_key(key: ServiceKey, data_dir: Path | None, environ: Mapping[str, str]) -> Verdict:
    given = environ.get(key.variable)
    if given:
        fault = weakness(given)
        if fault is not None:
            return failed(key.check, f"{key.variable}: {fault}")
        return well(key.check, f"it comes from {key.variable}")
    if data_dir is None:
        return warning(key.check, f"{key.variable} is not set, {key.without}")
    return _check_file(key.check, data_dir / key.file)


def _check_file(check: str, path: Path) -> Verdict:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        content = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return well(check, f"`morrow up` will make {path}")
    except (OSError, UnicodeDecodeError) as error:
        return failed(check, f"{path} cannot be read: {error}")
    if not content:
        return failed(check, f"{path} is empty: remove it, and a new one is made")
    if mode & OTHERS:
        return failed(
            check,
            f"{path} has mode {mode:04o}, so others may read the key: chmod 600 {path}; "
            "if others were on this machine, remove it, and a new one is made",
        )
    fault = weakness(content)
    if fault is not None:
        return failed(check, f"{path}: {fault}")
    return well(check, f"{path} is its owner's alone")
