"""Model versions: seen, fetched, brought in, promoted, rolled back and verified."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import StreamingResponse

from services.training.deps import Held, Reader, Resources, Trainer, Transaction
from services.training.identity.caller import Caller
from services.training.models import download, promotion, store
from services.training.models.aliases import Alias
from services.training.models.incoming import MEDIA_TYPES, import_artifact
from services.training.models.retention import Retention, drop_versions, forget_artifacts
from services.training.models.schemas import (
    ModelDetail,
    ModelOut,
    ModelPage,
    RollbackBody,
    VerificationOut,
    shown,
    shown_in_detail,
    shown_verification,
)
from services.training.models.verification import condemn, verify_artifacts
from services.training.tables import Model
from shared.artifacts import ArtifactCorrupt, ArtifactMissing, StoreUnavailable
from shared.database import tenant_transaction
from shared.errors import MEDIA_TYPE, Problem, not_found
from shared.paging import DEFAULT_LIMIT, Cursor, Limit, bad_cursor, decode_cursor, next_cursor
from shared.text import Name

router = APIRouter(tags=["models"])

Product = Annotated[Name | None, Query(description="of this product alone")]
Location = Annotated[Name | None, Query(description="at this location alone")]

BYTES: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
ARTIFACT_BYTES = {"application/gzip": BYTES, "application/json": BYTES}
PROBLEM = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemBody"}}}
ARTIFACT_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"content": ARTIFACT_BYTES, "description": "the bytes"},
    206: {"content": ARTIFACT_BYTES, "description": "the range asked for"},
    304: {"description": "the caller has these bytes already"},
    410: {"content": PROBLEM, "description": "the bytes are damaged and in quarantine"},
    416: {"content": PROBLEM, "description": "the range holds no byte"},
}
IMPORT_ANSWERS: dict[int | str, dict[str, Any]] = {
    400: {"content": PROBLEM, "description": "the body broke off"},
}
IMPORT_BODY = {
    "requestBody": {"required": True, "content": dict.fromkeys(MEDIA_TYPES, BYTES)},
    "parameters": [
        {
            "in": "header",
            "name": "Repr-Digest",
            "required": True,
            "schema": {"type": "string", "example": "sha-256=:<base64>:"},
        }
    ],
}
BIGGEST_VERSION = 2**63


async def open_until_sent() -> AsyncIterator[AsyncExitStack]:
    """What is entered here is closed after the response was sent, or could not be."""
    async with AsyncExitStack() as stack:
        yield stack


UntilSent = Annotated[AsyncExitStack, Depends(open_until_sent)]


@router.get("/models")
async def list_models(
    _: Reader,
    session: Transaction,
    product: Product = None,
    location: Location = None,
    alias: Annotated[Alias | None, Query(description="that play this part alone")] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> ModelPage:
    """Versions, the newest of a product first."""
    found = await store.list_versions(
        session,
        product=product,
        location=location,
        alias=alias,
        before=await _page_end(session, cursor),
        most=limit,
    )
    after = None
    if found:
        last = found[-1]
        key = (last.product, last.location, last.model.version)
        after = next_cursor(len(found) == limit, *key)
    return ModelPage(items=[shown(version) for version in found], next_cursor=after)


@router.get("/models/{model_id}")
async def get_model(model_id: UUID, _: Reader, session: Transaction) -> ModelDetail:
    version = await store.read_version(session, model_id)
    if version is None:
        raise not_found("model", model_id)
    return shown_in_detail(version)


@router.get(
    "/models/{model_id}/artifact",
    response_class=StreamingResponse,
    response_model=None,
    responses=ARTIFACT_ANSWERS,
)
async def get_artifact(
    model_id: UUID, caller: Reader, held: Held, request: Request, until_sent: UntilSent
) -> Response:
    """The bytes of a version, verified before the first is sent."""
    async with tenant_transaction(held.sessions, caller.tenant_id) as session:
        model = await store.read_model(session, model_id)
    if model is None:
        raise not_found("model", model_id)
    if model.quarantined_at is not None:
        raise _corrupt(model)
    if download.is_unchanged(model, request.headers):
        return download.unchanged(model)
    try:
        with store_faults():
            opened = held.artifacts.open(str(caller.tenant_id), model.sha256)
            file = await until_sent.enter_async_context(opened)
    except (ArtifactCorrupt, ArtifactMissing):
        await condemn(held.sessions, held.artifacts, caller.tenant_id, [model.sha256])
        raise _corrupt(model) from None
    return await download.served(model, file, request.headers)


@router.post("/models/import", status_code=201, responses=IMPORT_ANSWERS, openapi_extra=IMPORT_BODY)
async def import_model(
    caller: Trainer,
    held: Held,
    request: Request,
    response: Response,
    product: Annotated[Name | None, Query(description="else the bundle's own")] = None,
    location: Annotated[Name | None, Query(description="else the bundle's own")] = None,
) -> ModelOut:
    """A bundle, or `prophet.serialize.model_to_json`, becomes its product's challenger."""
    with store_faults():
        version = await import_artifact(held, caller, request, product, location)
    response.headers["Location"] = f"/api/v1/models/{version.model.id}"
    return shown(version)


@router.post("/models/rollback")
async def roll_back_model(body: RollbackBody, caller: Trainer, held: Held) -> ModelOut:
    """Undo a product's last change of champion; champion and previous change places."""

    async def roll_back(session: AsyncSession) -> UUID:
        series_id = await store.find_series(session, body.product, body.location)
        if series_id is None:
            raise not_found("series", f"of {body.product!r} at {body.location!r}")
        return await promotion.roll_back(session, series_id, caller.actor)

    return await _champion_after(roll_back, held, caller)


@router.post("/models/verify")
async def verify_models(caller: Trainer, held: Held) -> VerificationOut:
    """Hash every artifact again; what is damaged or missing is quarantined."""
    with store_faults():
        verification = await verify_artifacts(
            held.sessions, held.artifacts, caller.tenant_id, caller.actor
        )
    return shown_verification(verification)


@router.post("/models/{model_id}/promote")
async def promote_model(model_id: UUID, caller: Trainer, held: Held) -> ModelOut:
    """Make this version the champion of its product; the champion becomes `previous`."""

    async def promote(session: AsyncSession) -> UUID:
        return await promotion.promote_model(session, model_id, caller.actor)

    return await _champion_after(promote, held, caller)


async def _champion_after(
    change: Callable[[AsyncSession], Awaitable[UUID]], held: Resources, caller: Caller
) -> ModelOut:
    async with tenant_transaction(held.sessions, caller.tenant_id) as session:
        version = await store.read_version(session, await change(session))
        assert version is not None, "it was changed in the same transaction"
        dropped = await drop_versions(session, version.model, Retention.of(held.settings))
    await forget_artifacts(held.artifacts, str(caller.tenant_id), dropped)
    return shown(version)


@contextmanager
def store_faults() -> Iterator[None]:
    """503 where the model store fails."""
    try:
        yield
    except StoreUnavailable as error:
        detail = "the model store does not answer: try again later"
        raise Problem(
            503, "model_store_unavailable", detail, headers={"Retry-After": "5"}
        ) from error


def _corrupt(model: Model) -> Problem:
    detail = f"the bytes of version {model.version} are damaged and in quarantine: train again"
    return Problem(410, "artifact_corrupt", detail)


async def _page_end(session: AsyncSession, cursor: str | None) -> tuple[int, int] | None:
    """The series and the version behind `cursor`, which names the series as the list does."""
    key = decode_cursor(cursor, str, str, int)
    if key is None:
        return None
    product, location, version = str(key[0]), str(key[1]), int(key[2])
    series_id = await store.find_series(session, product, location)
    if series_id is None or not 0 <= version < BIGGEST_VERSION:
        raise bad_cursor()
    return series_id, version
