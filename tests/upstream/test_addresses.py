"""A tenant's address leads nowhere inside the house, by whatever name and however it changes."""

import ssl
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from shared.upstream.address import Address, parse_base_url, refusal_of
from shared.upstream.client import CallTerms, Upstream, UpstreamClient
from shared.upstream.connection import Refusal
from shared.upstream.errors import UpstreamForbidden, UpstreamUnreachable
from tests.upstream.made_upstream import OWNER, Answer, good, made_upstream, patient_breakers

NO_ENTRY = [
    "127.0.0.1", "127.8.9.10", "0.0.0.0", "0.1.2.3", "10.1.2.3", "172.16.0.1", "192.168.1.1",
    "169.254.169.254", "169.254.170.2", "100.64.0.1", "100.100.100.200", "192.0.0.192",
    "168.63.129.16", "198.18.0.1", "192.0.2.1", "224.0.0.1", "239.1.2.3", "240.0.0.1",
    "255.255.255.255", "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1",
    "fe80::1", "fe80::1%1", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1",
    "64:ff9b::a00:1", "64:ff9b::7f00:1", "64:ff9b:1::a00:1", "2002:a00:1::1", "2002:7f00:1::",
    "100::1", "2001:0:a00:1::1", "::ffff:169.254.169.254", "5f00::1",
]  # fmt: skip
ENTRY = ["8.8.8.8", "93.184.216.34", "2606:2800:220:1::1", "::ffff:8.8.8.8", "64:ff9b::808:808"]


@pytest.mark.parametrize("address", NO_ENTRY)
def test_what_is_not_public_is_refused(address: str) -> None:
    assert refusal_of(ip_address(address)) is not None


@pytest.mark.parametrize("address", ENTRY)
def test_what_is_public_is_not(address: str) -> None:
    assert refusal_of(ip_address(address)) is None


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a.example", "file:///etc/passwd", "a.example", "//a.example", "http://", "http:///x",
        "https://user:secret@a.example", "https://a.example?key=secret", "https://a.example/#x",
        "http://a.example:99999", "http://a b.example", "gopher://a.example", "http://[::1",
        "javascript:alert(1)", "http://a.example/\x00",
    ],
)  # fmt: skip
def test_an_address_is_plain_http_and_holds_no_secret(url: str) -> None:
    with pytest.raises(UpstreamForbidden) as refused:
        parse_base_url(url)
    assert "secret" not in str(refused.value)


class Names:
    """A name server that answers one address after the other, whatever it is asked for."""

    def __init__(self, *answers: str) -> None:
        self._answers = iter(answers)
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[Address]:
        self.asked.append(host)
        return [ip_address(text) for text in next(self._answers).split()]


TERMS_OF_STRANGERS = CallTerms(total_seconds=5, pause_seconds=0.02)


def strict() -> UpstreamClient:
    return UpstreamClient(TERMS_OF_STRANGERS, patient_breakers())


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.0.0.1", "0177.0.0.1", "[::1]",
             "[::ffff:127.0.0.1]", "0.0.0.0", "0"]
)  # fmt: skip
async def test_no_spelling_of_this_machine_gets_in(host: str) -> None:
    async with made_upstream(lambda asked: good("secret")) as inside, strict() as client:
        upstream = inside.as_upstream(url=f"http://{host}:{inside.port}")
        with pytest.raises((UpstreamForbidden, UpstreamUnreachable)):
            await client.get(upstream, "x", {})
        assert inside.asked == []


async def test_what_the_operator_gave_is_not_held_to_that() -> None:
    async with made_upstream(lambda asked: good("ours")) as inside, strict() as client:
        upstream = Upstream("weather:ours", inside.url, trusted=True)
        assert await client.get(upstream, "x", {}) == "ours"


def open_at(*public: str) -> Refusal:
    """As on the internet, were these addresses of this machine public ones."""
    return lambda address: None if str(address) in public else refusal_of(address)


async def test_a_name_that_rebinds_gains_nothing() -> None:
    """It leads outside at first, to who hangs up after each answer, and then inside."""
    hang_up = Answer(headers={"Connection": "close"})
    names = Names("127.0.0.5", "127.0.0.5", "127.0.0.1", "127.0.0.5 127.0.0.1")
    async with (
        made_upstream(lambda asked: hang_up, host="127.0.0.5") as outside,
        made_upstream(lambda asked: good("secret"), port=outside.port) as inside,
        UpstreamClient(TERMS_OF_STRANGERS, patient_breakers(), None, names, open_at("127.0.0.5"))
        as client,
    ):  # fmt: skip
        upstream = inside.as_upstream(url=f"http://rebinds.example:{inside.port}")
        for _ in range(2):
            assert await client.get(upstream, "x", {}) == {}
        for _ in range(2):
            with pytest.raises(UpstreamForbidden, match=r"127\.0\.0\.1, this machine"):
                await client.get(upstream, "x", {})
    assert len(names.asked) == 4, "once for each connection"
    assert len(outside.asked) == 2
    assert inside.asked == []
    assert outside.asked[0].headers["host"] == f"rebinds.example:{inside.port}"


async def test_a_connection_that_is_kept_is_not_resolved_again() -> None:
    names = Names("127.0.0.1")
    async with made_upstream(lambda asked: good()) as upstream:
        terms = replace(TERMS_OF_STRANGERS, allow_private=True)
        async with UpstreamClient(terms, patient_breakers(), None, names) as client:
            for _ in range(5):
                told = upstream.as_upstream(url=f"http://one.example:{upstream.port}")
                await client.get(told, "x", {})
    assert names.asked == ["one.example"]


async def test_the_next_address_is_tried_where_one_refuses() -> None:
    async with made_upstream(lambda asked: good("here")) as upstream:
        terms = replace(TERMS_OF_STRANGERS, allow_private=True)
        names = Names("127.0.0.9 127.0.0.1")
        async with UpstreamClient(terms, patient_breakers(), None, names) as client:
            told = upstream.as_upstream(url=f"http://two.example:{upstream.port}")
            assert await client.get(told, "x", {}) == "here"


async def test_a_name_that_nobody_knows_is_unreachable() -> None:
    async with UpstreamClient(TERMS_OF_STRANGERS, patient_breakers()) as client:
        upstream = Upstream("weather:x", "http://nobody.invalid", False, {}, OWNER)
        with pytest.raises(UpstreamUnreachable):
            await client.get(upstream, "x", {}, deadline=time.monotonic() + 5)


def certificate_for(name: str, folder: Path) -> ssl.SSLContext:
    """A server's context with a certificate for `name`, kept as `folder`/cert.pem as well."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


async def test_tls_is_spoken_with_the_name_though_the_address_is_pinned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = certificate_for("shop.example", tmp_path)
    asked_for: list[str | None] = []
    context.sni_callback = lambda _, name, __: asked_for.append(name)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
    terms = replace(TERMS_OF_STRANGERS, allow_private=True)
    names = Names("127.0.0.1", "127.0.0.1")
    async with (
        made_upstream(lambda asked: good("well"), tls=context) as upstream,
        UpstreamClient(terms, patient_breakers(), None, names) as client,
    ):
        told = upstream.as_upstream(url=f"https://shop.example:{upstream.port}")
        assert await client.get(told, "x", {}) == "well"
        other = upstream.as_upstream("weather:other", f"https://other.example:{upstream.port}")
        with pytest.raises(UpstreamUnreachable):
            await client.post(other, "x", {}, idempotent=False)
    assert asked_for == ["shop.example", "other.example"]
    assert upstream.asked[0].headers["host"] == f"shop.example:{upstream.port}"
    assert len(upstream.asked) == 1
