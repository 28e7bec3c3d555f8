"""The issuer's keys: kept, found anew when they change, never asked for more often than allowed, by
real HTTP to an issuer that rotates, fails and lies."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from jwt.algorithms import RSAAlgorithm

from services.training.identity.issuer import PAUSE_SECONDS, Issuer
from services.training.identity.issuer_keys import IssuerKeys, open_client
from services.training.identity.key_set import NoKeySet, read_key_set
from shared.errors import Problem
from shared.upstream.client import UpstreamClient
from tests.identity.made_issuer import (
    EC_KEY,
    JWKS,
    OTHER_RSA_KEY,
    P384_KEY,
    RSA_KEY,
    WEAK_RSA_KEY,
    MadeIssuer,
    jwk_of,
    made_issuer,
)
from tests.upstream.made_upstream import Answer, Asked

FRESH, STALE = 300.0, 3600.0


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def made() -> AsyncIterator[MadeIssuer]:
    async with made_issuer() as issuer:
        yield issuer


@pytest.fixture
async def client() -> AsyncIterator[UpstreamClient]:
    async with open_client() as opened:
        yield opened


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def issuer(made: MadeIssuer, client: UpstreamClient, clock: Clock) -> Issuer:
    return Issuer(IssuerKeys(client, made.url, None).ask, FRESH, STALE, clock)


def fail(made: MadeIssuer, answer: Callable[[Asked], Answer]) -> None:
    made.upstream.answer = answer


async def has(issuer: Issuer, kid: str) -> bool:
    return await issuer.find(kid, "RS256") is not None


async def unavailable(issuer: Issuer, kid: str) -> bool:
    with pytest.raises(Problem) as refused:
        await issuer.find(kid, "RS256")
    return (refused.value.status, refused.value.code) == (503, "issuer_unavailable")


async def test_keys_are_asked_for_once_by_however_many(made: MadeIssuer, issuer: Issuer) -> None:
    assert all(await asyncio.gather(*(has(issuer, "r1") for _ in range(50))))
    assert made.fetches == 1
    assert made.upstream.asked[-1].query == {"realm": "bakers"}


async def test_who_goes_away_while_keys_are_asked_for_takes_them_from_nobody(
    made: MadeIssuer, issuer: Issuer
) -> None:
    first, second = (asyncio.create_task(has(issuer, "r1")) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert await second
    assert made.fetches == 1


async def test_a_new_key_is_found_and_one_that_is_gone_goes(
    made: MadeIssuer, issuer: Issuer, clock: Clock
) -> None:
    assert await has(issuer, "r1")
    made.jwks = {"keys": [jwk_of(OTHER_RSA_KEY, "r2")]}
    clock.now += PAUSE_SECONDS
    assert await has(issuer, "r2")
    assert not await has(issuer, "r1")
    made.jwks = {"keys": []}
    clock.now += FRESH + 1
    assert not await has(issuer, "r2"), "an issuer may take back its every key"


async def test_unknown_kids_never_ask_more_often_than_allowed(
    made: MadeIssuer, issuer: Issuer, clock: Clock
) -> None:
    for number in range(200):
        assert not await has(issuer, f"forged {number}")
    assert made.fetches == 1
    for _ in range(10):
        clock.now += PAUSE_SECONDS
        found = await asyncio.gather(*(has(issuer, f"forged {n}") for n in range(20)))
        assert not any(found)
    assert made.fetches == 11


async def test_while_the_issuer_is_down_keys_hold_on_for_a_bounded_time(
    made: MadeIssuer, client: UpstreamClient, issuer: Issuer, clock: Clock
) -> None:
    assert await has(issuer, "r1")
    fail(made, lambda asked: Answer(500))
    clock.now += FRESH + 1
    assert await has(issuer, "r1")
    assert await unavailable(issuer, "r2"), "it may be a new one"
    clock.now += STALE - FRESH
    assert await unavailable(issuer, "r1")
    fail(made, made.answer)
    clock.now += PAUSE_SECONDS
    client.breakers.reset(f"issuer:127.0.0.1:{made.upstream.port}")
    assert await has(issuer, "r1")


@pytest.mark.parametrize(
    "answer",
    [
        Answer(404),
        Answer(302, headers={"Location": "/elsewhere"}),
        Answer(body=b"<html>"),
        Answer(body=b"[]"),
        Answer(body=b'{"keys": {}}'),
        Answer(body=b'{"keys": [' + b",".join([b"{}"] * 101) + b"]}"),
        Answer(body=b'{"keys": ["' + b"x" * 2**18 + b'"]}'),
    ],
)
async def test_an_answer_that_is_no_key_set_changes_nothing(
    made: MadeIssuer, issuer: Issuer, clock: Clock, answer: Answer
) -> None:
    assert await has(issuer, "r1")
    fail(made, lambda asked: answer if asked.path == JWKS else made.answer(asked))
    clock.now += FRESH + 1
    assert await has(issuer, "r1")
    assert made.fetches >= 2


@pytest.mark.parametrize(
    ("told", "value"),
    [
        ("told_issuer", "https://evil.example"),
        ("told_jwks_uri", "http://evil.example/keys"),
        ("told_jwks_uri", "file:///etc/keys"),
        ("told_jwks_uri", "https://a:b@evil.example/keys"),
    ],
)
async def test_a_discovery_document_is_believed_where_it_is_its_own(
    made: MadeIssuer, issuer: Issuer, told: str, value: str
) -> None:
    setattr(made, told, value)
    assert await unavailable(issuer, "r1")
    assert made.fetches == 0


async def test_where_the_settings_say_where_keys_are_nobody_else_is_asked(
    made: MadeIssuer, client: UpstreamClient
) -> None:
    keys = IssuerKeys(client, made.url, f"{made.upstream.url}{JWKS}")
    assert (await keys.ask()).find("e1", "ES256") is not None
    assert [asked.path for asked in made.upstream.asked] == [JWKS]


@pytest.mark.parametrize(
    "jwk",
    [
        {"kty": "oct", "kid": "k", "k": "c2VjcmV0"},
        jwk_of(RSA_KEY, "k", use="enc"),
        jwk_of(RSA_KEY, "k", key_ops=["encrypt"]),
        jwk_of(RSA_KEY, "k", key_ops="verify"),
        jwk_of(RSA_KEY, "k", alg="RSA-OAEP"),
        jwk_of(RSA_KEY, "k", alg="RS512"),
        jwk_of(RSA_KEY, "k") | RSAAlgorithm.to_jwk(RSA_KEY, as_dict=True) | {"key_ops": ["verify"]},
        jwk_of(WEAK_RSA_KEY, "k"),
        jwk_of(EC_KEY, "k"),
        jwk_of(RSA_KEY, "k") | {"n": "not base64!"},
        jwk_of(RSA_KEY, "k") | {"n": 7},
        jwk_of(RSA_KEY, "k") | {"e": ""},
        jwk_of(RSA_KEY, 7),  # type: ignore[arg-type]
        {"kty": ["RSA"]},
        {},
    ],
)
def test_what_cannot_verify_such_a_signature_is_passed_over(jwk: dict[str, Any]) -> None:
    keys = read_key_set({"keys": [jwk, "nothing", jwk_of(OTHER_RSA_KEY, "good")]})
    assert keys.find("k", "RS256") is None
    assert keys.find("good", "RS256") is not None


def test_a_key_is_of_the_kind_that_its_algorithm_takes() -> None:
    keys = read_key_set({"keys": [jwk_of(RSA_KEY, "k"), jwk_of(P384_KEY, "k")]})
    assert [keys.find("k", name) is not None for name in ("RS256", "ES256", "ES384")] == [
        True, False, True,
    ]  # fmt: skip
    assert keys.find(None, "RS256") is not None
    two = read_key_set({"keys": [jwk_of(RSA_KEY, "k"), jwk_of(OTHER_RSA_KEY, "l")]})
    assert two.find(None, "RS256") is None, "which of them would be a guess"


@pytest.mark.parametrize("document", [None, [], {}, {"keys": None}, {"keys": {"kty": "RSA"}}])
def test_what_is_no_key_set_is_refused(document: Any) -> None:
    with pytest.raises(NoKeySet):
        read_key_set(document)
