"""What every artifact store promises, asked of a directory and of a bucket behind real HTTP."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import httpx
import pytest
from moto.server import ThreadedMotoServer
from obstore.store import S3Store
from prometheus_client import REGISTRY

from shared.artifacts import (
    ArtifactCorrupt,
    ArtifactMissing,
    ArtifactNameRefused,
    ArtifactStore,
    DigestMismatch,
    StoreAddressRefused,
    StoreUnavailable,
    open_store,
)

OWNER = "3f0c9a52-6d2e-4f3c-9a1e-0b9f6f2f7b11"
OTHER = "3f0c9a52-6d2e-4f3c-9a1e-0b9f6f2f7b1"  # a prefix of the first
DATA = b"the weights of a bakery"
DIGEST = sha256(DATA).hexdigest()
MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class Place:
    """A store, and the way behind its back."""

    store: ArtifactStore
    damage: Callable[[str, bytes], None]
    keys: Callable[[], list[str]]


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    """The address of an S3 server on a free port of this machine."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(params=["directory", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    if request.param == "directory":
        return directory_place(tmp_path / "artifacts")
    return bucket_place(request.getfixturevalue("bucket"), monkeypatch)


def directory_place(root: Path) -> Place:
    def damage(key: str, data: bytes) -> None:
        (root / key).write_bytes(data)

    def keys() -> list[str]:
        return sorted(str(p.relative_to(root)) for p in root.rglob("*") if p.is_file())

    return Place(open_store(root), damage, keys)


def bucket_place(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Place:
    httpx.post(f"{endpoint}/moto-api/reset").raise_for_status()
    httpx.put(f"{endpoint}/morrow").raise_for_status()
    point_to(endpoint, monkeypatch)

    signed = S3Store("morrow", client_options={"allow_http": True})

    def damage(key: str, data: bytes) -> None:
        signed.put(f"some/prefix/{key}", data)

    def keys() -> list[str]:
        listed = httpx.get(f"{endpoint}/morrow").raise_for_status().text
        found = [part.split("</Key>")[0] for part in listed.split("<Key>")[1:]]
        assert all(key.startswith("some/prefix/") for key in found)
        return sorted(key.removeprefix("some/prefix/") for key in found)

    return Place(open_store("s3://morrow/some/prefix"), damage, keys)


def point_to(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")


def key_of(data: bytes, owner: str = OWNER) -> str:
    digest = sha256(data).hexdigest()
    return f"{owner}/{digest[:2]}/{digest}"


async def chunks_of(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def test_bytes_come_back_under_their_digest(place: Place) -> None:
    artifact = await place.store.put(OWNER, DATA)

    assert (artifact.sha256, artifact.bytes) == (DIGEST, len(DATA))
    assert await place.store.get(OWNER, DIGEST) == DATA
    assert place.keys() == [key_of(DATA)]


async def test_no_bytes_are_bytes_too(place: Place) -> None:
    artifact = await place.store.put(OWNER, b"")

    assert await place.store.get(OWNER, artifact.sha256) == b""


async def test_bytes_already_there_and_intact_stay(place: Place) -> None:
    await place.store.put(OWNER, DATA)
    await place.store.put(OWNER, DATA)
    await place.store.put_stream(OWNER, chunks_of(DATA), DIGEST)

    assert place.keys() == [key_of(DATA)]


async def test_damaged_bytes_are_replaced_by_the_next_put(place: Place) -> None:
    for put in (
        lambda: place.store.put(OWNER, DATA),
        lambda: place.store.put_stream(OWNER, chunks_of(DATA), DIGEST),
    ):
        await place.store.put(OWNER, DATA)
        place.damage(key_of(DATA), DATA[:-1])
        await put()
        assert await place.store.get(OWNER, DIGEST) == DATA


def checksum_failures() -> float:
    return REGISTRY.get_sample_value("morrow_artifact_checksum_failures_total") or 0.0


async def test_damaged_bytes_are_never_handed_out(place: Place) -> None:
    await place.store.put(OWNER, DATA)
    place.damage(key_of(DATA), b"others")
    counted = checksum_failures()

    with pytest.raises(ArtifactCorrupt) as refused:
        await place.store.get(OWNER, DIGEST)
    assert (refused.value.sha256, refused.value.found) == (DIGEST, sha256(b"others").hexdigest())
    with pytest.raises(ArtifactCorrupt):
        async with place.store.open(OWNER, DIGEST):
            pass
    assert checksum_failures() == counted + 2


async def test_absent_bytes_are_missing(place: Place) -> None:
    await place.store.put(OTHER, DATA)  # another owner's are not there either

    with pytest.raises(ArtifactMissing) as refused:
        await place.store.get(OWNER, DIGEST)
    assert refused.value.sha256 == DIGEST
    with pytest.raises(ArtifactMissing):
        async with place.store.open(OWNER, DIGEST):
            pass


async def test_an_opened_artifact_is_verified_and_seekable(place: Place) -> None:
    await place.store.put(OWNER, DATA)

    async with place.store.open(OWNER, DIGEST) as file:
        assert file.read() == DATA
        file.seek(4)
        assert file.read(7) == DATA[4:11]


async def test_a_stream_is_kept_only_if_it_is_what_was_announced(place: Place) -> None:
    with pytest.raises(DigestMismatch) as refused:
        await place.store.put_stream(OWNER, chunks_of(DATA, b"!"), DIGEST)
    assert refused.value.found == sha256(DATA + b"!").hexdigest()
    assert place.keys() == []

    kept = await place.store.put_stream(OWNER, chunks_of(DATA[:5], b"", DATA[5:]), DIGEST)
    assert (kept.sha256, kept.bytes) == (DIGEST, len(DATA))
    assert await place.store.get(OWNER, DIGEST) == DATA


async def test_a_wrong_stream_for_a_kept_digest_is_refused_and_changes_nothing(
    place: Place,
) -> None:
    await place.store.put(OWNER, DATA)

    with pytest.raises(DigestMismatch):
        await place.store.put_stream(OWNER, chunks_of(b"others"), DIGEST)
    assert await place.store.get(OWNER, DIGEST) == DATA


async def test_a_stream_that_breaks_off_leaves_nothing(place: Place) -> None:
    class ConnectionGone(Exception):
        pass

    async def broken() -> AsyncIterator[bytes]:
        yield DATA
        raise ConnectionGone

    with pytest.raises(ConnectionGone):
        await place.store.put_stream(OWNER, broken(), DIGEST)
    assert place.keys() == []


async def test_a_stream_of_many_parts_comes_back_whole(place: Place) -> None:
    block = os.urandom(MEBIBYTE)
    digest = sha256(block * 20).hexdigest()

    kept = await place.store.put_stream(OWNER, chunks_of(*[block] * 20), digest)

    assert kept.bytes == 20 * MEBIBYTE
    async with place.store.open(OWNER, digest) as file:
        assert sha256(file.read()).hexdigest() == digest


async def test_deleted_bytes_are_missing_and_may_be_deleted_again(place: Place) -> None:
    await place.store.put(OWNER, DATA)
    await place.store.delete(OWNER, DIGEST)
    await place.store.delete(OWNER, DIGEST)

    with pytest.raises(ArtifactMissing):
        await place.store.get(OWNER, DIGEST)


async def test_quarantine_moves_damaged_bytes_aside(place: Place) -> None:
    await place.store.put(OWNER, DATA)
    place.damage(key_of(DATA), b"others")
    await place.store.quarantine(OWNER, DIGEST)

    assert place.keys() == [f"{OWNER}/quarantine/{DIGEST}"]
    with pytest.raises(ArtifactMissing):
        await place.store.get(OWNER, DIGEST)


async def test_quarantine_leaves_bytes_alone_that_are_intact_by_now(place: Place) -> None:
    await place.store.quarantine(OWNER, DIGEST)
    assert place.keys() == []

    await place.store.put(OWNER, DATA)
    await place.store.quarantine(OWNER, DIGEST)
    assert await place.store.get(OWNER, DIGEST) == DATA


async def test_erasing_takes_everything_of_one_owner_alone(place: Place) -> None:
    for number in range(3):
        await place.store.put(OWNER, DATA + bytes([number]))
    await place.store.put(OWNER, DATA)
    place.damage(key_of(DATA), b"others")
    await place.store.quarantine(OWNER, DIGEST)
    await place.store.put(OTHER, DATA)

    assert [await place.store.count(owner) for owner in (OWNER, OTHER)] == [4, 1]
    assert await place.store.erase(OTHER) == 1
    assert len(place.keys()) == await place.store.count(OWNER) == 4
    assert await place.store.erase(OWNER) == 4
    assert place.keys() == []
    assert await place.store.erase(OWNER) == await place.store.count(OWNER) == 0


async def test_the_store_tells_that_it_answers(place: Place) -> None:
    await place.store.check()
    await place.store.put(OWNER, DATA)
    await place.store.check()


@pytest.mark.parametrize(
    "owner", ["", ".", "..", "../x", "a/b", "/etc", "a\0b", "-x", "a\n", "a" * 129, "ü"]
)
async def test_an_owner_that_could_lead_elsewhere_is_refused(place: Place, owner: str) -> None:
    with pytest.raises(ArtifactNameRefused) as refused:
        await place.store.put(owner, DATA)
    assert (refused.value.part, refused.value.value) == ("owner", owner)
    with pytest.raises(ArtifactNameRefused):
        await place.store.erase(owner)
    assert place.keys() == []


@pytest.mark.parametrize(
    "name", ["", "..", "../../etc/passwd", DIGEST.upper(), DIGEST[:-1], DIGEST + "\n", DIGEST + "0"]
)
async def test_a_digest_that_is_none_is_refused(place: Place, name: str) -> None:
    calls: list[Callable[[], Awaitable[object]]] = [
        lambda: place.store.get(OWNER, name),
        lambda: place.store.put_stream(OWNER, chunks_of(DATA), name),
        lambda: place.store.delete(OWNER, name),
        lambda: place.store.quarantine(OWNER, name),
    ]
    for call in calls:
        with pytest.raises(ArtifactNameRefused) as refused:
            await call()
        assert refused.value.part == "sha256"
    assert place.keys() == []


async def test_a_bucket_that_is_gone_is_unavailable_and_its_artifacts_are_not_missing(
    bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    point_to(bucket, monkeypatch)
    store = open_store("s3://nowhere")

    for call in (store.check(), store.get(OWNER, DIGEST), store.put(OWNER, DATA)):
        with pytest.raises(StoreUnavailable):
            await call


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"])
@pytest.mark.parametrize(
    "endpoint", ["http://203.0.113.7:9000", "http://localhost.example.org", "http://0.0.0.0"]
)
def test_an_unencrypted_endpoint_elsewhere_is_refused(
    variable: str, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    point_to("http://127.0.0.1:1", monkeypatch)
    monkeypatch.setenv(variable, endpoint)

    with pytest.raises(StoreAddressRefused, match=variable):
        open_store("s3://morrow")


@pytest.mark.parametrize("address", ["s3://", "gs://bucket/x", "s3:///x", "s3://bucket/x?y=1"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(StoreAddressRefused):
        open_store(address)
