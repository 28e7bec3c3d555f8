"""Whether a key that somebody chose could be guessed."""

import re
from itertools import pairwise
from typing import Final

SHORTEST: Final = 16
FEWEST_LEFT: Final = 10
FEWEST_DIFFERENT: Final = 6

WELL_KNOWN: Final = (
    *("changeme", "change", "replace", "please", "default", "example", "sample", "demo", "test"),
    *("development", "production", "local", "insecure", "unsafe", "todo", "none", "null"),
    *("password", "passwort", "passwd", "secret", "geheim", "token", "key", "schluessel", "apikey"),
    *("operator", "sealing", "master", "admin", "administrator", "root", "morrow", "service"),
    *("letmein", "welcome", "iloveyou", "qwerty", "qwertz", "azerty", "asdf", "1q2w3e4r5t6y7u8i"),
    *("dragon", "monkey", "sunshine", "princess", "football", "baseball", "superman", "trustno1"),
    *(
        "this",
        "that",
        "very",
        "long",
        "enough",
        "the",
        "of",
        "my",
        "our",
        "your",
        "is",
        "for",
        "to",
    ),
    *("1q2w3e4r", "foobar", "foo", "bar", "abc", "dev", "prod", "me", "not", "a"),
)
WAY_OUT: Final = "take a random one: python -c 'import secrets; print(secrets.token_urlsafe(32))'"


def weakness(key: str) -> str | None:
    """Why `key` could be guessed, and the way out, without repeating it; None if it could not.

    It is short, or it is nothing but well-known words, runs such as 12345, and repetitions.
    """
    if len(key) < SHORTEST:
        return f"it has {len(key)} characters, and at least {SHORTEST} are needed: {WAY_OUT}"
    left = _without_runs(re.sub(r"[\W_]", "", key.lower()))
    for word in sorted(WELL_KNOWN, key=len, reverse=True):
        left = left.replace(word, "")
    if len(left) < FEWEST_LEFT or len(set(left)) < FEWEST_DIFFERENT:
        return f"it is made of well-known words, runs or repetitions: {WAY_OUT}"
    return None


def _without_runs(text: str) -> str:
    """Each character that does not just continue, up or down, what the two before it began."""
    steps = [0, *(ord(after) - ord(before) for before, after in pairwise(text))]
    return "".join(
        character
        for at, character in enumerate(text)
        if at < 2 or steps[at] != steps[at - 1] or abs(steps[at]) > 1
    )
