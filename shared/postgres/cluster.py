"""PostgreSQL's own directory: made once, completely or not at all."""

import shutil
import signal
import subprocess
from pathlib import Path

from shared.postgres.binaries import PostgresBinaries
from shared.postgres.errors import PostgresFailed, PostgresUnavailable
from shared.postgres.identity import CLUSTER, hand_over
from shared.processes.mortal import Identity, launch_command

BUILTIN_LOCALES_SINCE = 17


class WrongMajorVersion(PostgresUnavailable):
    def __init__(self, cluster: Path, made_by: str, binaries: PostgresBinaries) -> None:
        self.made_by = made_by
        super().__init__(
            f"{cluster} was made by PostgreSQL {made_by} and {binaries.folder} holds "
            f"{binaries.major}: set MORROW_PG_BINDIR to the programs of {made_by}, or move the "
            "data with pg_dumpall into a new data directory"
        )


def ensure_cluster(
    data_dir: Path,
    binaries: PostgresBinaries,
    identity: Identity,
    *,
    superuser: str,
    password: str,
    sync: bool,
) -> Path:
    """The cluster below `data_dir`, made by `initdb` with SCRAM if there is none yet.

    It is made beside its place and moved there, so that a start cut short leaves nothing half
    made. Raises PostgresFailed, and WrongMajorVersion if other programs made it.
    """
    cluster = data_dir / CLUSTER
    if cluster.exists():
        _refuse_other_version(cluster, binaries)
        return cluster
    draft = data_dir / "initdb"
    shutil.rmtree(draft, ignore_errors=True)
    (draft / CLUSTER).mkdir(mode=0o700, parents=True)
    password_file = draft / "password"
    password_file.touch(mode=0o600)
    password_file.write_text(password)
    hand_over(draft, identity)
    _initdb(draft, binaries, identity, superuser=superuser, sync=sync)
    (draft / CLUSTER).rename(cluster)
    shutil.rmtree(draft)
    return cluster


def last_lines(text: str, count: int = 15) -> str:
    return "\n".join(text.strip().splitlines()[-count:])


def _initdb(
    draft: Path, binaries: PostgresBinaries, identity: Identity, *, superuser: str, sync: bool
) -> None:
    command = [
        binaries.initdb,
        f"--pgdata={draft / CLUSTER}",
        f"--username={superuser}",
        f"--pwfile={draft / 'password'}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        *_locale(binaries),
        "--data-checksums",
        *([] if sync else ["--no-sync"]),
    ]
    done = subprocess.run(  # noqa: S603 - the initdb that was found, of our own words
        launch_command(command, signal.SIGTERM, identity),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env={"LC_ALL": "C", "TZ": "UTC"},
        cwd=draft,
        check=False,
    )
    if done.returncode != 0:
        raise PostgresFailed(f"{binaries.initdb} failed", last_lines(done.stdout + done.stderr))


def _locale(binaries: PostgresBinaries) -> list[str]:
    """Unicode's own upper and lower case where PostgreSQL brings it; never the machine's."""
    if binaries.major >= BUILTIN_LOCALES_SINCE:
        return ["--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return ["--no-locale"]


def _refuse_other_version(cluster: Path, binaries: PostgresBinaries) -> None:
    made_by = (cluster / "PG_VERSION").read_text().strip()
    if made_by != str(binaries.major):
        raise WrongMajorVersion(cluster, made_by, binaries)
