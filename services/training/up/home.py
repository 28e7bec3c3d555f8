"""The data directory of `morrow up`.

data_dir/lock           held while it runs
data_dir/operator.key   0600, made unless MORROW_OPERATOR_KEY is set
data_dir/sealing.key     0600, made unless MORROW_SEALING_KEY is set; seals the sources' credentials
data_dir/postgres/      the embedded PostgreSQL
data_dir/models/        artifacts, unless MORROW_MODEL_STORAGE_PATH is set
data_dir/spool/         what waits for the database, unless MORROW_SPOOL_PATH is set
data_dir/metrics/       what the processes count, emptied at every start
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from shared.directory_lock import lock_directory

PRIVATE = 0o700
PASSABLE = 0o711


@dataclass(frozen=True, slots=True)
class Home:
    """An absolute data directory that this process holds."""

    path: Path

    @property
    def postgres(self) -> Path:
        return self.path / "postgres"

    @property
    def models(self) -> Path:
        return self.path / "models"

    @property
    def spool(self) -> Path:
        return self.path / "spool"

    @property
    def metrics(self) -> Path:
        return self.path / "metrics"

    @property
    def operator_key(self) -> Path:
        return self.path / "operator.key"

    @property
    def sealing_key(self) -> Path:
        return self.path / "sealing.key"


@contextmanager
def open_home(data_dir: Path) -> Iterator[Home]:
    """Hold the data directory, made if need be. Raises DirectoryLocked.

    Root makes it passable, for the other user whom PostgreSQL may have to run as.
    """
    data_dir.mkdir(mode=PASSABLE if os.geteuid() == 0 else PRIVATE, parents=True, exist_ok=True)
    with lock_directory(data_dir):
        yield Home(data_dir.resolve())
