"""An import from its first byte to its row: received, read, kept, published as challenger."""

from email.message import Message
from uuid import UUID

from fastapi import Request

from services.training.audit.action import Action
from services.training.audit.record import record
from services.training.deps import Resources
from services.training.identity.caller import Caller
from services.training.models import store
from services.training.models.aliases import Alias
from services.training.models.bundle_reader import BundleRefused
from services.training.models.imports import imported_model, outline_of, series_named
from services.training.models.repr_digest import announced_digest
from services.training.models.retention import Retention, drop_versions, forget_artifacts
from services.training.models.store import Version
from services.training.models.upload import chunks_of, received
from services.training.tables import Json
from shared.artifacts import Artifact
from shared.database import tenant_transaction
from shared.errors import Problem, invalid, not_found

MEDIA_TYPES = (
    "application/json",
    "application/gzip",
    "application/x-gzip",
    "application/octet-stream",
)
FIRST_LOCATION = "main"


async def import_artifact(
    held: Resources, caller: Caller, request: Request, product: str | None, location: str | None
) -> Version:
    """The new version. No transaction is open while bytes come, are read, or are kept."""
    _require_media_type(request.headers.get("content-type"))
    digest = announced_digest(request.headers.get("repr-digest"))
    async with received(request, digest) as (file, path):
        outline = await _read(path)
        series_id = await _series(held, caller.tenant_id, *_named(outline, product, location))
        owner = str(caller.tenant_id)
        artifact = await held.artifacts.put_stream(owner, chunks_of(file), digest)
    return await _publish(held, caller, series_id, outline, artifact)


async def _read(path: str) -> Json:
    try:
        return await outline_of(path)
    except BundleRefused as error:
        raise invalid("body", error.code, error.message) from None


def _named(outline: Json, product: str | None, location: str | None) -> tuple[str, str]:
    named = series_named(outline)
    if named is not None:
        return product or named[0], location or named[1]
    if product is None:
        raise invalid(
            "product", "product_missing", "a model of Prophet's own names none: add ?product="
        )
    return product, location or FIRST_LOCATION


async def _series(held: Resources, tenant_id: UUID, product: str, location: str) -> int:
    async with tenant_transaction(held.sessions, tenant_id) as session:
        series_id = await store.find_series(session, product, location)
    if series_id is None:
        raise not_found("series", f"of {product!r} at {location!r}: send its sales first")
    return series_id


async def _publish(
    held: Resources, caller: Caller, series_id: int, outline: Json, artifact: Artifact
) -> Version:
    retention, tenant_id = Retention.of(held.settings), caller.tenant_id
    async with tenant_transaction(held.sessions, tenant_id) as session:
        new = imported_model(outline, series_id, artifact)
        model = await store.publish_model(session, tenant_id, new, Alias.CHALLENGER)
        dropped = await drop_versions(session, model, retention)
        version = await store.read_version(session, model.id)
        told = {"version": model.version, "sha256": artifact.sha256, "bytes": artifact.bytes}
        record(session, caller.actor, Action.MODEL_IMPORTED, f"model:{model.id}", after=told)
    await forget_artifacts(held.artifacts, str(tenant_id), dropped)
    assert version is not None, "it was published in the same transaction"
    return version


def _require_media_type(field: str | None) -> None:
    header = Message()
    header["Content-Type"] = field or "application/octet-stream"
    if header.get_content_type() not in MEDIA_TYPES:
        raise Problem(
            415,
            "unsupported_media_type",
            f"Content-Type {field!s:.80} is none of {', '.join(MEDIA_TYPES)}",
        )
