"""API keys are random, found by their prefix, and told apart by every character."""

from hypothesis import given
from hypothesis import strategies as st

from shared.auth import digest_of, make_key, prefix_of, same_secret


def test_keys_are_unlike_and_carry_their_prefix() -> None:
    made = [make_key() for _ in range(200)]
    assert len({key.secret for key in made}) == len({key.prefix for key in made}) == 200
    for key in made:
        assert key.secret.startswith(key.prefix + "_")
        assert prefix_of(key.secret) == key.prefix
        assert same_secret(key.digest, key.secret)
        assert key.secret.encode() not in key.digest


@given(st.text())
def test_no_text_is_mistaken_for_a_key(text: str) -> None:
    key = make_key()
    assert not same_secret(key.digest, text)
    assert prefix_of(text) is None or text.startswith("mrw_")


@given(st.text(alphabet=st.characters(codec=None), max_size=50))
def test_any_text_has_a_digest(text: str) -> None:
    assert len(digest_of(text)) == 32
