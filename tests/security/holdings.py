"""What a tenant has, by the names that requests use for it; and what nobody has."""

from dataclasses import dataclass, fields, replace
from uuid import uuid4

from shared.auth import Scope, make_key
from shared.paging import encode_cursor


@dataclass(frozen=True)
class Marks:
    """A word and a number that stand in everything a tenant is given. Words are of one length, so
    that answers which tell of them can be compared byte by byte."""

    word: str
    number: float

    def name(self, of: str) -> str:
        return f"{self.word} {of}"


AMBER = Marks("amberleaf", 5827.375)
BIRCH = Marks("birchleaf", 7391.125)
NOBODY = Marks("cedarleaf", 6413.625)


@dataclass(frozen=True)
class Keys:
    """A tenant's secrets: those that let in, one for each scope, and those that no longer do."""

    full: str
    of_scope: dict[Scope, str]
    revoked: str
    expired: str

    def all(self) -> list[str]:
        return [self.full, *self.of_scope.values(), self.revoked, self.expired]


@dataclass(frozen=True)
class Holdings:
    """One name of every kind of thing that can be asked for. Of what a request uses up there is
    a `spare_…` beside it."""

    tenant: str
    product: str
    location: str
    event: str
    key: str
    spare_key: str
    old_key: str
    erased_tenant: str
    job: str
    spare_job: str
    model: str
    challenger: str
    sync: str
    receipt: str
    rejected: str
    breaker: str
    request_key: str
    sync_request_key: str
    artifact: str
    """As `Repr-Digest` and `ETag` say it: in base64, and in hex."""
    etag: str
    keys_page: str
    tenants_page: str
    jobs_page: str
    tasks_page: str
    models_page: str
    locations_page: str
    products_page: str
    spool_page: str
    breakers_page: str
    audit_page: str

    def sent(self) -> set[str]:
        return {getattr(self, field.name) for field in fields(self)}


def nobodys(of: Holdings) -> Holdings:
    """The same kinds of names, of the same lengths, and nobody has them."""
    at = "2026-01-01T00:00:00+00:00"
    ids = {name: str(uuid4()) for name in UUIDS}
    word = of.product.split()[0]
    names = {name: getattr(of, name).replace(word, NOBODY.word) for name in NAMES}
    return replace(
        of,
        **ids,
        **names,
        artifact=f"sha-256=:{'A' * 43}=:",
        etag=f'"{"0" * 64}"',
        keys_page=encode_cursor(str(uuid4())),
        tenants_page=encode_cursor(str(uuid4())),
        jobs_page=encode_cursor(at, str(uuid4())),
        tasks_page=encode_cursor(2**20),
        models_page=encode_cursor(names["product"], names["location"], 1),
        locations_page=encode_cursor(names["location"]),
        products_page=encode_cursor(names["product"]),
        spool_page=encode_cursor(2**20),
        audit_page=encode_cursor(at, 1, "00" * 32),
        breakers_page=encode_cursor(names["breaker"], str(uuid4())),
    )


UUIDS = (
    *(
        "tenant",
        "erased_tenant",
        "key",
        "spare_key",
        "old_key",
        "job",
        "spare_job",
        "model",
        "challenger",
        "sync",
    ),
    *("receipt", "rejected"),
)
NAMES = ("product", "location", "event", "breaker", "request_key", "sync_request_key")


def unknown_key() -> str:
    """As well formed as any, and nobody's."""
    return make_key().secret
