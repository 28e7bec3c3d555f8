"""Secrets are cut out of texts, whatever they stand in, and nothing can forge a line."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.auth import make_key
from shared.redaction import CUT, IS_SENSITIVE, escaped, redactor, shortened

CANARY = "canary-9f3b7c1d2e"
KEY = make_key()
RANDOM_PART = KEY.secret.removeprefix(KEY.prefix + "_")
TOKEN = "eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ" + ".eyJzdWIiOiJjYW5hcnkifQ" + ".c2lnbmF0dXJl"
PEM = "-----BEGIN " + f"PRIVATE KEY-----\n{CANARY}\n-----END " + "PRIVATE KEY-----"

SAID = [
    f"Authorization: Bearer {CANARY}",
    f"{{'authorization': 'Bearer {CANARY}'}}",
    f"(b'authorization', b'Bearer {CANARY}')",
    f"authorization=Basic {CANARY}",
    f'127.0.0.1:5 - "WebSocket /api/v1/training-jobs/1/ws?since=0&ticket={CANARY}" [accepted]',
    f'"WebSocket /api/v1/training-jobs/1/ws?%74icket={CANARY}" 403',
    f"GET https://api.example/v1/forecast?latitude=54&apikey={CANARY}#part",
    f"cannot connect to postgresql://morrow_api:{CANARY}@db.internal:5432/morrow",
    f"postgresql://morrow_api:with@and/{CANARY}@db.internal/morrow",
    f"https://{CANARY}@git.example/x.git",
    f'{{"password": "{CANARY}", "host": "x"}}',
    f"Settings(sealing_key='{CANARY}')",
    f"MORROW_OPERATOR_KEY={CANARY}",
    f"AWS_SECRET_ACCESS_KEY: {CANARY}",
    f"X-Api-Key: {CANARY}",
    f'answered {{\\"token\\": \\"{CANARY}\\"}}',
    f"[('x-api-key', '{CANARY}'), ('host', 'x')]",
    f"[(b'x-api-key', b'{CANARY}')]",
    f"set-cookie: session={CANARY}",
    f"[parameters: ('roll', 42.5, '{CANARY}')]",
    f"null value in column\nDETAIL:  Failing row contains (7, {CANARY}, 42.5).",
    PEM,
]


@pytest.mark.parametrize("said", SAID)
def test_a_secret_is_cut_out_by_what_it_stands_in(said: str) -> None:
    told = redactor()(said)
    assert CANARY not in told
    assert CUT in told


def test_our_keys_keep_the_prefix_by_which_they_are_known() -> None:
    assert redactor()(f"key {KEY.secret} was sent") == f"key {KEY.prefix}_{CUT} was sent"


def test_identity_tokens_are_cut_out_anywhere() -> None:
    assert redactor()(f"cannot read '{TOKEN}'") == f"cannot read '{CUT}'"


def test_what_is_known_is_cut_out_wherever_it_stands() -> None:
    assert redactor([CANARY])(f"it was {CANARY}, in plain words") == f"it was {CUT}, in plain words"


def test_what_is_too_short_to_be_a_secret_is_not_cut_out_of_words() -> None:
    assert redactor(["", "port"])("the port is closed") == "the port is closed"


@pytest.mark.parametrize(
    "said",
    [
        "claim_failed",
        "cannot connect to the database: timeout after 30 s",
        "product 'Brötchen' of location 'main' has 12 days",
        "http://127.0.0.1:8000/api/v1/sales",
        "2026-11-22T15:00:00Z",
        "a task of the tenant 3f0e6c3a-0000-4000-8000-000000000000",
    ],
)
def test_what_is_no_secret_stays(said: str) -> None:
    assert redactor([CANARY])(said) == said


AROUND = st.text("xyz \n\t\"'=:/@?&%;{}[]()\\", max_size=20)


@settings(max_examples=50)
@given(AROUND, st.text("abc.-_", min_size=8), AROUND)
def test_no_text_around_a_known_secret_saves_it(before: str, secret: str, after: str) -> None:
    assert secret not in redactor([secret])(before + secret + after)


@given(st.text())
def test_what_is_escaped_is_one_line_that_no_terminal_obeys(text: str) -> None:
    told = escaped(text)
    assert len(told.splitlines()) <= 1
    assert not {"\x1b", "\x07", "\x9b", "\u202e", "\u2028"} & set(told)
    assert all(sign.isprintable() or sign.isspace() or ord(sign) > 0x9F for sign in told)
    told.encode()


def test_what_is_plain_is_not_escaped() -> None:
    assert escaped("Brötchen 🥐 ½ €") == "Brötchen 🥐 ½ €"


@pytest.mark.parametrize("name", ["password", "db_password", "X-Api-Key", "ticket", "credentials"])
def test_names_of_secrets_are_known(name: str) -> None:
    assert IS_SENSITIVE.fullmatch(name)


@pytest.mark.parametrize("name", ["event", "task", "tenant_id", "lock", "error", "key", "sha256"])
def test_other_names_are_not(name: str) -> None:
    assert not IS_SENSITIVE.fullmatch(name)


def test_a_long_text_loses_its_middle() -> None:
    text = json.dumps(list(range(1000)))
    told = shortened(text, 100)
    assert len(told) < 150
    assert told.startswith(text[:50])
    assert told.endswith(text[-50:])
    assert shortened(text[:100], 100) == text[:100]
