"""What could be guessed is refused, what was drawn is not, and neither is repeated."""

import secrets
import string
from random import Random

import pytest

from shared.key_strength import weakness


@pytest.mark.parametrize(
    "key",
    [
        "changemechangeme",
        "Change-Me, Change-Me!",
        "operator-key-operator-key",
        "my-secret-operator-key-2026",
        "this-is-a-very-long-secret-key",
        "password1234567890",
        string.hexdigits[:16],
        string.ascii_lowercase[::-1] + string.digits[::-1],
        "1q2w3e4r5t6y7u8i",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "abababababababababababab",
        "--------------------------------",
        "",
        "k7-lynx-quagmir",
    ],
)
def test_what_could_be_guessed_is_told_with_the_way_out(key: str) -> None:
    fault = weakness(key)
    assert fault is not None
    assert "secrets.token_urlsafe(32)" in fault
    assert not key or key not in fault


def test_what_was_drawn_at_random_is_taken() -> None:
    assert all(weakness(secrets.token_urlsafe(32)) is None for _ in range(1_000))
    drawn = Random(2026)
    short = [f"{drawn.getrandbits(64):016x}" for _ in range(10_000)]
    assert sum(weakness(key) is not None for key in short) < 20  # the run of luck: take another
