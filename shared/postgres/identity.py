"""As whom the embedded PostgreSQL runs: never as root, which it refuses."""

import os
import pwd
import signal
import subprocess
from pathlib import Path

from shared.postgres.errors import PostgresUnavailable
from shared.processes.mortal import SAME_USER, Identity, OtherUser, OwnNamespace, launch_command

CLUSTER = "cluster"


class NoOrdinaryUser(PostgresUnavailable):
    """Started as root, and there is no way to run PostgreSQL as anybody else."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"PostgreSQL does not run as root and {reason}: start Morrow as an ordinary user, "
            "allow user namespaces, or set MORROW_DATABASE_URL to a running server"
        )


def serving_identity(cluster: Path, *, user_namespace: bool, fallback_user: str) -> Identity:
    """The identity that serves `cluster`, a data directory that need not exist yet.

    An ordinary user serves as itself. Root serves a cluster as the ordinary user that owns it;
    otherwise as an ordinary user of a user namespace, where the files stay root's; or, where that
    is not wanted or not allowed, as `fallback_user`. Raises NoOrdinaryUser.
    """
    if os.geteuid() != 0:
        return SAME_USER
    if cluster.exists() and (owner := cluster.stat()).st_uid != 0:
        return OtherUser(owner.st_uid, owner.st_gid)
    if user_namespace and _namespace_refusal() is None:
        return OwnNamespace()
    return _fallback(fallback_user)


def admit(identity: Identity, data_dir: Path) -> None:
    """Let another user pass through the data directory, and hand it a cluster made for root.

    Raises NoOrdinaryUser if a folder above bars the way.
    """
    if not isinstance(identity, OtherUser):
        return
    data_dir.chmod(data_dir.stat().st_mode | 0o011)
    _refuse_unreachable(data_dir, identity)
    cluster = data_dir / CLUSTER
    if cluster.exists() and cluster.stat().st_uid != identity.uid:
        hand_over(cluster, identity)


def hand_over(directory: Path, identity: Identity) -> None:
    """Give a directory and all in it to the identity that will serve it."""
    if not isinstance(identity, OtherUser):
        return
    for path in (directory, *directory.rglob("*")):
        os.chown(path, identity.uid, identity.gid, follow_symlinks=False)


def _fallback(name: str) -> OtherUser:
    try:
        user = pwd.getpwnam(name)
    except KeyError:
        raise NoOrdinaryUser(
            f"there are no user namespaces here ({_namespace_refusal()}) nor a user {name!r}"
        ) from None
    return OtherUser(user.pw_uid, user.pw_gid)


def _namespace_refusal() -> str | None:
    """Why no user namespace can be had, found by trying; None if one can."""
    command = launch_command(["true"], signal.SIGKILL, OwnNamespace())
    trial = subprocess.run(  # noqa: S603 - ourselves, and `true`
        command, capture_output=True, text=True, check=False
    )
    return None if trial.returncode == 0 else trial.stderr.strip()


def _refuse_unreachable(directory: Path, user: OtherUser) -> None:
    for folder in directory.resolve().parents:
        status = folder.stat()
        shift = 6 if status.st_uid == user.uid else 3 if status.st_gid == user.gid else 0
        if not status.st_mode >> shift & 0o1:
            raise NoOrdinaryUser(
                f"user {user.uid}, as whom it would run, cannot pass through {folder} "
                f"(run chmod o+x {folder}, or choose another data directory)"
            )
