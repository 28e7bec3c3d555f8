"""What was sealed opens with its key and at its place, and nowhere else."""

import pytest

from shared.sealed import SealBroken, Sealer, is_sealed

KEY = "a key of the service"


def test_what_was_sealed_is_opened_and_hides_what_it_holds() -> None:
    kept = Sealer(KEY).seal("s3cret", "tenant sales")
    assert is_sealed(kept)
    assert b"s3cret" not in kept
    assert Sealer(KEY).open(kept, "tenant sales") == "s3cret"
    assert Sealer(KEY).seal("s3cret", "tenant sales") != kept


def test_another_key_place_or_content_opens_nothing() -> None:
    kept = Sealer(KEY).seal("s3cret", "tenant sales")
    for sealer, place, found in (
        (Sealer("another key of it"), "tenant sales", kept),
        (Sealer(KEY), "other sales", kept),
        (Sealer(KEY), "tenant sales", kept[:-1] + bytes([kept[-1] ^ 1])),
        (Sealer(KEY), "tenant sales", kept[:5]),
        (Sealer(None), "tenant sales", kept),
    ):
        with pytest.raises(SealBroken):
            sealer.open(found, place)


def test_without_a_key_it_is_kept_plainly_and_says_so() -> None:
    kept = Sealer(None).seal("s3cret", "anywhere")
    assert not is_sealed(kept)
    assert Sealer(KEY).open(kept, "anywhere") == "s3cret"


def test_the_key_is_not_shown() -> None:
    assert KEY not in repr(Sealer(KEY))
