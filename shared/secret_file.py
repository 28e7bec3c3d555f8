"""A secret that is made once and kept in a file only its owner reads."""

import os
import secrets
from pathlib import Path

SECRET_BYTES = 32


class SecretRefused(Exception):
    """A file that was to hold a secret does not, or does not keep it."""


def kept_secret(path: Path) -> str:
    """The secret kept in `path` (mode 0600), made of 256 random bits when there is none yet.

    Of several processes that make it at once, all get the same one. Raises SecretRefused for
    an empty file and for one that others may read.
    """
    if not path.exists():
        _create(path, secrets.token_hex(SECRET_BYTES))
    _refuse_if_shared(path)
    secret = path.read_text(encoding="ascii").strip()
    if not secret:
        raise SecretRefused(
            f"{path} is empty: write the secret into it, or remove it for a new one"
        )
    return secret


def _create(path: Path, secret: str) -> None:
    """Write a file of our own and link it into place: whoever links first has made the secret."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secret + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass  # another process was first, and its secret is the one
    finally:
        draft.unlink()


def _refuse_if_shared(path: Path) -> None:
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        raise SecretRefused(
            f"{path} has mode {mode:04o}, so others may read the secret: "
            f"run chmod 600 {path}, or remove it for a new one"
        )
