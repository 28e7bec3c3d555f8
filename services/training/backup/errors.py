"""Why a backup was not taken, or not restored; nothing was changed then."""


class BackupRefused(Exception):
    """`code` is a stable snake_case word; the message says what is wrong, and the way out."""

    def __init__(self, code: str, detail: str) -> None:
        self.code = code
        super().__init__(detail)
