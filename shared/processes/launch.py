"""Become another program: one that dies with its parent, and as the right user.

Run as a script, `python -I -S launch.py PARENT SIGNAL IDENTITY PROGRAM [ARGUMENT...]`, it imports
the standard library alone and is gone after `exec`. It is a program and not a `preexec_fn`
because Python code between fork and exec may deadlock in a parent that has threads.

PROGRAM is a path: nothing is searched or imported any more once another user may be unable to
read this Python. IDENTITY is `same`, `namespace` (ordinary user 1000 of a new user namespace, root
outside) or `UID:GID`.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1
CLONE_NEWUSER = 0x10000000
UID_INSIDE = 1000
EXIT_NOT_LAUNCHED = 126


def enter_user_namespace() -> None:
    """Be user 1000 of a namespace whose only user is the caller; needs a single thread.

    Raises OSError where the kernel or a sandbox forbids it.
    """
    uid, gid = os.geteuid(), os.getegid()
    _checked("unshare(CLONE_NEWUSER)", ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWUSER))
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"{UID_INSIDE} {uid} 1")
    _write("/proc/self/gid_map", f"{UID_INSIDE} {gid} 1")


def drop_to(uid: int, gid: int) -> None:
    """Be that user and group alone, for good."""
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)


def take_identity(identity: str) -> None:
    if identity == "namespace":
        enter_user_namespace()
    elif identity != "same":
        uid, gid = identity.split(":")
        drop_to(int(uid), int(gid))


def die_with_parent(parent: int, signal_number: int) -> None:
    """Ask Linux for this signal when the parent's thread ends; elsewhere nothing can be asked.

    To be called after every change of user, because each of them clears the request.
    """
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    _checked("prctl(PR_SET_PDEATHSIG)", libc.prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0))
    if os.getppid() != parent:  # it died before the request was made
        sys.exit(EXIT_NOT_LAUNCHED)


def _checked(call: str, status: int) -> None:
    if status != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{call}: {os.strerror(number)}")


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def main(arguments: list[str]) -> None:
    parent, signal_number, identity, *command = arguments
    try:
        take_identity(identity)
        die_with_parent(int(parent), int(signal_number))
        os.execv(command[0], command)  # noqa: S606 - this is what it is for; no shell
    except OSError as error:
        sys.stderr.write(f"cannot start {command[0]}: {error}\n")
        sys.exit(EXIT_NOT_LAUNCHED)


if __name__ == "__main__":
    main(sys.argv[1:])
