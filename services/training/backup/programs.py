"""PostgreSQL's own `pg_dump` and `pg_restore`: the dump of one snapshot, and its way back."""

import asyncio
import os
import re
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy.engine import URL, make_url

from services.training.backup.errors import BackupRefused

LAST_LINES: Final = 8
DUMPED: Final = re.compile(r"dumping contents of table ")
RESTORED: Final = re.compile(r"processing data for table ")
WRONG: Final = re.compile(r"\w+: error: ")
SCHEMA_ENTRY: Final = re.compile(r"\d+; \d+ \d+ (SCHEMA - public|(ACL|COMMENT) - SCHEMA public) ")
"""The schema itself is the server's, and what is granted on it the migrations': only a superuser
could grant it in the name of another role, as a dump does."""

OnTable = Callable[[], None]


@dataclass(frozen=True, slots=True)
class PostgresPrograms:
    """The folder of `pg_dump` and `pg_restore`, which must be no older than the server. Files they
    write belong in a private directory."""

    folder: Path

    async def dump(self, dsn: str, snapshot: str, into: Path, on_table: OnTable) -> None:
        """Write what the exported snapshot shows into a file. The login must see every row: one
        that row-level security applies to is an error, never fewer rows."""
        address, environ = _address(dsn)
        options = ("--format=custom", "--schema=public", "--no-password", "--verbose")
        await self._run(
            ("pg_dump", *options, f"--snapshot={snapshot}", f"--file={into}", address),
            environ,
            _calling(DUMPED, on_table),
        )

    async def restore(self, dsn: str, dump: Path, on_table: OnTable) -> None:
        """Put the dump in the place of what is there, in one transaction: all of it, or nothing is
        changed."""
        address, environ = _address(dsn)
        entries = dump.with_name(f"{dump.name}.entries")
        entries.write_text("\n".join(await self.entries(dump)))
        options = ("--single-transaction", "--clean", "--if-exists", "--no-password", "--verbose")
        await self._run(
            ("pg_restore", *options, f"--use-list={entries}", f"--dbname={address}", str(dump)),
            environ,
            _calling(RESTORED, on_table),
        )

    async def entries(self, dump: Path) -> Sequence[str]:
        """What is in the dump and to be restored, in order."""
        found: list[str] = []
        listing = dump.with_name(f"{dump.name}.list")
        await self._run(("pg_restore", "--list", f"--file={listing}", str(dump)), {}, found.append)
        lines = listing.read_text().splitlines()
        return [line for line in lines if SCHEMA_ENTRY.match(line) is None]

    async def _run(
        self, command: Sequence[str], environ: Mapping[str, str], on_line: Callable[[str], None]
    ) -> None:
        program, *arguments = command
        said: deque[str] = deque(maxlen=LAST_LINES)
        wrong: deque[str] = deque(maxlen=LAST_LINES)
        async with _started(self.folder / program, arguments, environ) as process:
            assert process.stderr is not None
            async for line in process.stderr:
                said.append(line.decode(errors="replace").rstrip())
                on_line(said[-1])
                if WRONG.match(said[-1]):
                    wrong.append(said[-1])
            status = await process.wait()
        if status != 0:
            told = "\n".join(wrong or said)
            raise BackupRefused("database_failed", f"{program} ended with {status}:\n{told}")


@asynccontextmanager
async def _started(
    program: Path, arguments: Sequence[str], environ: Mapping[str, str]
) -> AsyncIterator[asyncio.subprocess.Process]:
    try:
        process = await asyncio.create_subprocess_exec(
            str(program),
            *arguments,
            env={**os.environ, "LC_ALL": "C", **environ},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
    except OSError as error:
        raise BackupRefused(
            "program_missing",
            f"{program}: {error.strerror}; --pg-bindir names the folder of pg_dump and pg_restore",
        ) from None
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _address(dsn: str) -> tuple[str, Mapping[str, str]]:
    """The DSN without its password, which every user of the machine could read off the command,
    and the environment that holds it."""
    given = make_url(dsn)
    plain = URL.create(
        *("postgresql", given.username, None, given.host, given.port, given.database),
        query=given.query,
    )
    password = {} if given.password is None else {"PGPASSWORD": given.password}
    return plain.render_as_string(hide_password=False), password


def _calling(pattern: re.Pattern[str], on_table: OnTable) -> Callable[[str], None]:
    def look(line: str) -> None:
        if pattern.search(line):
            on_table()

    return look
