"""`Repr-Digest` announces bytes, or the request is refused by name."""

import base64
import hashlib

import pytest

from services.training.models.repr_digest import announced_digest, repr_digest
from shared.errors import Problem

SHA256 = hashlib.sha256(b"bytes")
FIELD = f"sha-256=:{base64.b64encode(SHA256.digest()).decode()}:"


def test_what_is_written_is_read() -> None:
    assert repr_digest(SHA256.hexdigest()) == FIELD
    assert announced_digest(FIELD) == SHA256.hexdigest()


@pytest.mark.parametrize(
    "field", [f"sha-512=:AAAA:, {FIELD}", f"{FIELD}, md5=:AAAA:", f" {FIELD} "]
)
def test_other_algorithms_may_stand_beside(field: str) -> None:
    assert announced_digest(field) == SHA256.hexdigest()


@pytest.mark.parametrize(
    ("field", "code"),
    [
        (None, "digest_missing"),
        ("", "digest_missing"),
        ("sha-512=:AAAA:", "digest_missing"),
        (f"x{FIELD}", "digest_missing"),
        (f"sha-256={SHA256.hexdigest()}", "digest_missing"),
        ("sha-256=:AAAA:", "digest_malformed"),
        ("sha-256=:A:", "digest_malformed"),
    ],
)
def test_what_announces_nothing_is_refused(field: str | None, code: str) -> None:
    with pytest.raises(Problem) as refused:
        announced_digest(field)

    assert refused.value.status == 422
    assert refused.value.errors is not None
    assert refused.value.errors[0].code == code
