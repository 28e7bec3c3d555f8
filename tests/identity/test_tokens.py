"""Tokens of an issuer are let in where all about them is right, and nowhere else."""

import base64
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID, uuid4

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fastapi import FastAPI

from services.training.app import create_app
from services.training.settings import Settings, SettingsRefused
from services.training.tenants.erasure import begin
from shared.database import tenant_transaction
from tests.conftest import OPERATOR_KEY, Database, Tenant, client_of, make_tenant, settings_for
from tests.identity.made_issuer import (
    AUDIENCE,
    EC_KEY,
    OTHER_RSA_KEY,
    P384_KEY,
    RSA_KEY,
    TENANT_CLAIM,
    MadeIssuer,
    jwk_of,
    made_issuer,
    raw_token,
)

LATER, EARLIER = time.time() + 3600, time.time() - 3600


@pytest.fixture(scope="module")
async def issuer() -> AsyncIterator[MadeIssuer]:
    async with made_issuer() as made:
        yield made


@pytest.fixture(scope="module")
async def app(
    database: Database, issuer: MadeIssuer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[FastAPI]:
    settings = settings_for(
        database.api_dsn,
        tmp_path_factory.mktemp("api"),
        oidc_issuer=issuer.url,
        oidc_audience=AUDIENCE,
        oidc_tenant_claim=TENANT_CLAIM,
        attempts_per_minute=10_000,
    )
    application = create_app(settings)
    async with application.router.lifespan_context(application):
        yield application


async def asked(app: FastAPI, token: str, path: str = "/tenant") -> httpx.Response:
    async with client_of(app, None) as client:
        headers = {"Authorization": f"Bearer {token}".encode("latin-1")}
        return await client.get(f"/api/v1{path}", headers=headers)


@pytest.mark.parametrize(
    "token",
    [
        lambda issuer, tenant: issuer.token(tenant),
        lambda issuer, tenant: issuer.token(
            tenant, key=EC_KEY, algorithm="ES256", header={"kid": "e1"}
        ),
        lambda issuer, tenant: issuer.token(tenant, header={"kid": ...}),
        lambda issuer, tenant: issuer.token(tenant, exp=time.time() - 5),
        lambda issuer, tenant: issuer.token(tenant, header={"typ": "JWT"}),
        lambda issuer, tenant: issuer.token(tenant, header={"typ": "application/at+jwt"}),
        lambda issuer, tenant: issuer.token(tenant, aud=["https://other.example", AUDIENCE]),
        lambda issuer, tenant: issuer.token(tenant, scope="read"),
        lambda issuer, tenant: issuer.token(tenant, scope=["morrow:read", 7, "else"]),
        lambda issuer, tenant: issuer.token(tenant, nbf=int(time.time())),
        lambda issuer, tenant: issuer.token(tenant, exp=10**15),
    ],
)
async def test_a_token_acts_for_the_tenant_that_it_names(
    app: FastAPI, tenant: Tenant, issuer: MadeIssuer, token: Callable[[MadeIssuer, UUID], str]
) -> None:
    answer = await asked(app, token(issuer, tenant.id))
    assert answer.status_code == 200, answer.text
    assert answer.json()["id"] == str(tenant.id)


def forged_none(issuer: MadeIssuer, tenant: UUID) -> str:
    return jwt.encode(issuer.claims(tenant), None, "none", {"kid": "r1", "typ": "at+jwt"})  # type: ignore[arg-type]


def forged_with_public_key(issuer: MadeIssuer, tenant: UUID) -> str:
    """HS256 with what everybody knows as the secret (RFC 8725 §2.1)."""
    pem = RSA_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    header = json.dumps({"alg": "HS256", "kid": "r1", "typ": "at+jwt"})
    unsigned = raw_token(header, issuer.claims(tenant)).rpartition(".")[0]
    signature = hmac.digest(pem, unsigned.encode(), "sha256")
    return f"{unsigned}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def with_own_key(issuer: MadeIssuer, tenant: UUID) -> str:
    """The key to verify it with comes in the header: as it is, by address, as a certificate."""
    header = {
        "jwk": jwk_of(OTHER_RSA_KEY, "r1"),
        "jku": f"{issuer.upstream.url}/stolen",
        "x5u": f"{issuer.upstream.url}/stolen",
        "x5c": ["MIIB"],
    }
    return issuer.token(tenant, key=OTHER_RSA_KEY, header=header)


def tampered(issuer: MadeIssuer, tenant: UUID) -> str:
    head, _, signature = issuer.token(tenant).split(".")
    claims = json.dumps(issuer.claims(tenant, scope="admin")).encode()
    return f"{head}.{base64.urlsafe_b64encode(claims).rstrip(b'=').decode()}.{signature}"


Forge = Callable[[MadeIssuer, UUID], str]
BAD: dict[str, Forge] = {
    "none": forged_none,
    "hs256 with the public key": forged_with_public_key,
    "own key in the header": with_own_key,
    "other claims": tampered,
    "another key": lambda i, t: i.token(t, key=OTHER_RSA_KEY),
    "an algorithm that is not allowed": lambda i, t: i.token(t, algorithm="RS512"),
    "a key of another kind": lambda i, t: i.token(t, header={"kid": "e1"}),
    "another curve": lambda i, t: i.token(t, key=P384_KEY, algorithm="ES384", header={"kid": "e1"}),
    "unknown kid": lambda i, t: i.token(t, header={"kid": "r9"}),
    "a kid that is no name": lambda i, t: raw_token(
        '{"alg":"RS256","kid":{"r1":1},"typ":"at+jwt"}', i.claims(t)
    ),
    "long kid": lambda i, t: i.token(t, header={"kid": "r" * 201}),
    "wrong aud": lambda i, t: i.token(t, aud="https://other.example"),
    "no aud": lambda i, t: i.token(t, aud=...),
    "wrong iss": lambda i, t: i.token(t, iss=f"{i.url}/"),
    "no iss": lambda i, t: i.token(t, iss=...),
    "expired": lambda i, t: i.token(t, exp=int(EARLIER)),
    "no exp": lambda i, t: i.token(t, exp=...),
    "exp is no number": lambda i, t: i.token(t, exp="soon"),
    "exp is text": lambda i, t: i.token(t, exp=str(int(LATER))),
    "exp is true": lambda i, t: i.token(t, exp=True),
    "exp is infinite": lambda i, t: i.token(t, exp=float("inf")),
    "no iat": lambda i, t: i.token(t, iat=...),
    "iat to come": lambda i, t: i.token(t, iat=int(LATER)),
    "nbf to come": lambda i, t: i.token(t, nbf=int(LATER)),
    "no sub": lambda i, t: i.token(t, sub=...),
    "sub is no text": lambda i, t: i.token(t, sub=7),
    "sub holds NUL": lambda i, t: i.token(t, sub="an\0na"),
    "sub holds a lone surrogate": lambda i, t: i.token(t, sub="an\ud800na"),
    "long sub": lambda i, t: i.token(t, sub="a" * 256),
    "critical header": lambda i, t: i.token(t, header={"crit": ["exp"]}),
    "unencoded payload": lambda i, t: raw_token(
        '{"alg":"RS256","kid":"r1","typ":"at+jwt","b64":false}', i.claims(t)
    ),
    "typ of a logout": lambda i, t: i.token(t, header={"typ": "logout+jwt"}),
    "typ is null": lambda i, t: i.token(t, header={"typ": None}),
    "no typ": lambda i, t: raw_token('{"alg":"RS256","kid":"r1"}', i.claims(t)),
    "huge": lambda i, t: i.token(t, padding="x" * 9000),
    "deep header": lambda i, t: raw_token("[" * 5000, i.claims(t)),
    "deep in the header": lambda i, t: raw_token('{"alg":' + "[" * 4000, {}),
    "long number": lambda i, t: raw_token('{"alg":' + "9" * 5000 + "}", {}),
    "header is a list": lambda i, t: raw_token("[]", i.claims(t)),
    "header is no text": lambda i, t: "\xff.\xff.\xff",
    "empty": lambda i, t: "..",
    "a tenant that never was": lambda i, t: i.token(uuid4()),
    "nobody's tenant": lambda i, t: i.token(UUID(int=0)),
    "tenant is no uuid": lambda i, t: i.token("bakery"),
    "tenant spelled otherwise": lambda i, t: i.token(f"{{{t}}}"),
    "tenant in capitals": lambda i, t: i.token(str(t).upper()),
    "tenant as a urn": lambda i, t: i.token(f"urn:uuid:{t}"),
    "tenant is a list": lambda i, t: i.token(t, **{TENANT_CLAIM: [str(t)]}),
    "no tenant": lambda i, t: i.token(t, **{TENANT_CLAIM: ...}),
}


@pytest.mark.parametrize("forge", BAD.values(), ids=BAD.keys())
async def test_a_token_that_is_not_good_is_nobodys(
    app: FastAPI, tenant: Tenant, issuer: MadeIssuer, forge: Forge
) -> None:
    answer = await asked(app, forge(issuer, tenant.id))
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized"), answer.text
    assert answer.headers["www-authenticate"] == "Bearer"
    assert not [call for call in issuer.upstream.asked if "stolen" in call.path]


async def test_a_token_sees_and_does_no_more_than_it_says(
    app: FastAPI, api: httpx.AsyncClient, tenant: Tenant, issuer: MadeIssuer
) -> None:
    other = await make_tenant(app, api, name="Other")
    for scopes, status in (("morrow:read", 200), ("openid profile", 403), ("MORROW:READ", 403)):
        answer = await asked(app, issuer.token(tenant.id, scope=scopes))
        assert answer.status_code == status
    for none in (7, {"read": 1}, [["read"]], ...):
        answer = await asked(app, issuer.token(tenant.id, scope=none))
        assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")
    own = await asked(app, issuer.token(other.id))
    assert own.json()["id"] == str(other.id)
    everything = issuer.token(tenant.id, scope="read ingest train admin operator morrow:operator")
    assert (await asked(app, everything, "/tenants")).status_code == 403
    assert (await asked(app, everything, f"/tenants/{other.id}")).status_code == 403
    await other.client.aclose()


async def test_no_token_makes_an_operator(app: FastAPI, tenant: Tenant, issuer: MadeIssuer) -> None:
    for claims in ({"sub": "operator"}, {"sub": OPERATOR_KEY}, {"role": "operator"}):
        token = issuer.token(tenant.id, scope="morrow:admin", **claims)
        assert (await asked(app, token, "/tenants")).status_code == 403


async def test_the_token_of_a_tenant_that_was_erased_is_nobodys(
    app: FastAPI, api: httpx.AsyncClient, issuer: MadeIssuer
) -> None:
    gone = await make_tenant(app, api, name="Gone")
    token = issuer.token(gone.id)
    assert (await asked(app, token)).status_code == 200
    assert (await api.delete(f"/api/v1/tenants/{gone.id}")).is_success
    assert (await asked(app, token)).status_code == 401
    await gone.client.aclose()


async def test_the_token_of_a_tenant_that_is_being_erased_is_nobodys(
    app: FastAPI, api: httpx.AsyncClient, issuer: MadeIssuer
) -> None:
    going = await make_tenant(app, api, name="Going")
    async with tenant_transaction(app.state.resources.sessions, going.id) as session:
        assert await begin(session, going.id)
    assert (await asked(app, issuer.token(going.id))).status_code == 401
    await going.client.aclose()


async def test_who_came_by_token_makes_keys_and_the_record_names_them(
    app: FastAPI, tenant: Tenant, issuer: MadeIssuer
) -> None:
    token = issuer.token(tenant.id, scope="morrow:admin morrow:read", sub="anna@baker")
    async with client_of(app, token) as anna:
        made = await anna.post("/api/v1/api-keys", json={"name": "till", "scopes": ["read"]})
        assert made.status_code == 201
        more = await anna.post("/api/v1/api-keys", json={"name": "t", "scopes": ["ingest"]})
        assert (more.status_code, more.json()["code"]) == (403, "scope_not_held")
        keys = (await anna.get("/api/v1/api-keys")).json()["items"]
        told = (await anna.get("/api/v1/audit-log")).json()["items"]
        assert "token:anna@baker" in {entry["actor"] for entry in told}
        first = [entry for entry in told if entry["action"] == "token.first_used"]
        assert [entry["actor"] for entry in first] == ["token:anna@baker"]
        for key in keys:
            gone = await anna.delete(f"/api/v1/api-keys/{key['id']}")
            assert gone.status_code == 204, "whoever has tokens needs no key to come back"


async def test_without_an_issuer_no_token_is_anybodys(
    database: Database, tenant: Tenant, issuer: MadeIssuer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    settings = settings_for(database.api_dsn, tmp_path_factory.mktemp("alone"))
    application = create_app(settings)
    async with application.router.lifespan_context(application):
        assert (await asked(application, issuer.token(tenant.id))).status_code == 401
        assert (await asked(application, tenant.key)).status_code == 200


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("oidc_issuer", "http://login.example"),
        ("oidc_issuer", "http://127.0.0.1.evil.example"),
        ("oidc_issuer", "https://user@login.example"),
        ("oidc_issuer", "login.example"),
        ("oidc_jwks_url", "http://login.example/keys"),
        ("oidc_audience", None),
        ("oidc_audience", ""),
        ("oidc_algorithms", "RS256,none"),
        ("oidc_algorithms", "HS256"),
        ("oidc_algorithms", ""),
        ("oidc_leeway_seconds", 301),
    ],
)
def test_an_unsafe_setting_is_refused_by_name(name: str, value: Any) -> None:
    known = {"database_url": "postgresql://x/y", "oidc_issuer": "https://login.example"}
    known |= {"oidc_audience": AUDIENCE}
    assert Settings.load(**known).oidc_algorithms == ("RS256", "ES256")
    with pytest.raises(SettingsRefused, match=f"MORROW_{name.upper()}"):
        Settings.load(**known | {name: value})
