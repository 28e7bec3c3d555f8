"""What can be wrong with an artifact; each error carries the name it is about."""


class ArtifactError(Exception):
    """Every error of an artifact store."""


class ArtifactNameRefused(ArtifactError, ValueError):
    """An owner or a digest that is not one: it could lead out of the store."""

    def __init__(self, part: str, value: str, rule: str) -> None:
        self.part = part
        self.value = value
        super().__init__(f"{part} {value[:200]!r} is refused: it must be {rule}")


class ArtifactMissing(ArtifactError):
    """No bytes under this digest."""

    def __init__(self, sha256: str) -> None:
        self.sha256 = sha256
        super().__init__(f"artifact {sha256} is not in the store")


class ArtifactCorrupt(ArtifactError):
    """The bytes under a digest have another one; they were not handed out."""

    def __init__(self, sha256: str, found: str) -> None:
        self.sha256 = sha256
        self.found = found
        super().__init__(f"artifact {sha256} holds bytes whose SHA-256 is {found}")


class DigestMismatch(ArtifactError):
    """Bytes to be stored are not those that were announced; nothing was stored."""

    def __init__(self, sha256: str, found: str) -> None:
        self.sha256 = sha256
        self.found = found
        super().__init__(f"announced SHA-256 {sha256}, received bytes of {found}: send them again")


class StoreAddressRefused(ArtifactError, ValueError):
    """A store that will not be used: what the address is and how it should look."""


class StoreUnavailable(ArtifactError):
    """The store cannot be reached, read or written at present; `__cause__` says why."""
