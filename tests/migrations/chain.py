"""The real revisions with some behind them that only tests know: what releases to come will do."""

import asyncio
import os
from pathlib import Path

from alembic import command
from alembic.config import Config

import migrations
from migrations import Patience

REVISIONS = Path(__file__).with_name("revisions")
BRISK = Patience(lock_seconds=0.4, first_pause=0.05, longest_pause=0.1, attempts=3)


def longer_chain(dsn: str, patience: Patience = BRISK) -> Config:
    config = migrations.configuration(dsn, patience)
    places = (migrations.HERE / "versions", REVISIONS)
    config.set_main_option("version_locations", os.pathsep.join(map(str, places)))
    config.set_main_option("path_separator", "os")
    return config


def upgrade(dsn: str, revision: str, patience: Patience = BRISK) -> None:
    command.upgrade(longer_chain(dsn, patience), revision)


def downgrade(dsn: str, revision: str) -> None:
    command.downgrade(longer_chain(dsn), revision)


async def upgrade_apart(dsn: str, revision: str, patience: Patience = BRISK) -> None:
    """In a thread: Alembic brings a loop of its own."""
    await asyncio.to_thread(upgrade, dsn, revision, patience)
