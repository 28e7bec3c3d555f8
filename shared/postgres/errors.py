"""Why there is no embedded PostgreSQL."""


class PostgresUnavailable(Exception):
    """It cannot be run here; the message says why and what to do. Each reason is a subclass."""


class PostgresFailed(PostgresUnavailable):
    """A program of PostgreSQL failed; `output` is the last it said."""

    def __init__(self, what: str, output: str) -> None:
        self.output = output
        super().__init__(f"{what}:\n{output}" if output else what)
