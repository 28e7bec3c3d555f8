"""The API process, wired: its rooms, its resources, and its probes."""

import math
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from importlib.metadata import version
from typing import Final
from uuid import UUID

import structlog
from fastapi import APIRouter, FastAPI
from fastapi.telemetry import TelemetryConfig
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from migrations import read_revisions
from services.training.breakers.routes import router as breakers_router
from services.training.deps import Resources
from services.training.forecasts.recent import RecentForecasts
from services.training.forecasts.routes import router as forecasts_router
from services.training.identity.door import open_door
from services.training.jobs.events import EVENTS_CHANNEL
from services.training.jobs.routes import router as jobs_router
from services.training.metering.answers import RateLimitHeaders
from services.training.metering.requests import RequestLimits
from services.training.metering.streams import Streams
from services.training.metering.tally import ForecastTally
from services.training.models.routes import router as models_router
from services.training.openapi import PROBLEMS, document_problems
from services.training.pools import pool_limits
from services.training.retraining.routes import router as retraining_router
from services.training.sales.routes import router as sales_router
from services.training.sales.spooled import READERS
from services.training.settings import Settings
from services.training.sources.routes import router as sources_router
from services.training.spool.health import state_of_spool
from services.training.spool.replay import Replay
from services.training.spool.routes import router as spool_router
from services.training.spool.spool import open_spool
from services.training.streams.hub import open_hub
from services.training.streams.routes import router as streams_router
from services.training.streams.socket import router as socket_router
from services.training.tenants.erasing import Erasing
from services.training.tenants.erasure import ERASED_CHANNEL, Eraser
from services.training.tenants.erasure_routes import router as erasure_router
from services.training.tenants.key_routes import router as keys_router
from services.training.tenants.limit_routes import router as limits_router
from services.training.tenants.record_routes import router as record_router
from services.training.tenants.routes import router as tenants_router
from services.training.tenants.usage_routes import router as usage_router
from shared.allowed_hosts import AllowedHosts
from shared.artifacts import ArtifactError, ArtifactStore, open_store
from shared.background import running
from shared.database import connect_directly, make_engine, make_sessions
from shared.doorbell import Bell, Listener
from shared.errors import install_error_answers
from shared.health import Well, health_router
from shared.json_bounds import JsonBounds
from shared.metrics_server import serve_own_metrics
from shared.openapi_page import serve_openapi_page
from shared.recent import Recent
from shared.request_bounds import RequestBounds
from shared.request_context import RequestContext
from shared.roles import API
from shared.safe_headers import SafeHeaders
from shared.tracing.requests import TracedRequests

VERSION = version("morrow")
BASE = "/api/v1"
ROUTERS = (
    tenants_router,
    limits_router,
    usage_router,
    keys_router,
    sales_router,
    sources_router,
    jobs_router,
    streams_router,
    socket_router,
    models_router,
    forecasts_router,
    spool_router,
    retraining_router,
    breakers_router,
    record_router,
    erasure_router,
)
LARGER_BODIES = frozenset(f"{BASE}{path}" for path in ("/sales", "/regressors", "/models/import"))
"""They hold themselves to what the tenant may send."""
MOST_KNOWN = 10_000

NO_TELEMETRY: Final[TelemetryConfig] = {
    "auto_configure": False,
    "tracing": False,
    "metrics": False,
    "logs": False,
}
"""The framework's own would tell paths and queries, and believe whoever sends a trace; ours is in
`shared/tracing/`."""

log = structlog.get_logger()


def create_app(settings: Settings) -> FastAPI:
    """The application; it holds nothing until it is started."""
    app = FastAPI(
        title="Morrow",
        version=VERSION,
        summary="Multi-tenant demand forecasting",
        lifespan=partial(_lifespan, settings=settings),
        generate_unique_id_function=lambda route: route.name,
        docs_url=None,  # they load scripts from elsewhere
        redoc_url=None,
        telemetry=NO_TELEMETRY,
        redirect_slashes=False,  # one path, one answer; the redirect would name whatever host asked
    )
    install_error_answers(app)
    for router in ROUTERS:
        app.include_router(router, prefix=BASE, responses=PROBLEMS)
    app.include_router(_probes(app))
    app.add_middleware(RateLimitHeaders)
    app.add_middleware(JsonBounds, elsewhere=LARGER_BODIES)
    app.add_middleware(RequestBounds, seconds=settings.request_seconds, larger=LARGER_BODIES)
    app.add_middleware(AllowedHosts, hosts=settings.allowed_hosts)
    app.add_middleware(SafeHeaders)
    app.add_middleware(TracedRequests, prefix=BASE)
    app.add_middleware(RequestContext)
    document_problems(app)
    serve_openapi_page(app)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI, *, settings: Settings) -> AsyncIterator[None]:
    dsn = settings.database_url.get_secret_value()
    engine = make_engine(dsn, API, pool_limits(settings), "morrow-api")
    connect = partial(connect_directly, settings.direct_dsn(), API)
    bell = Bell(partial(connect, "morrow-api-bell"))
    channels = (EVENTS_CHANNEL, ERASED_CHANNEL)
    listener = Listener(partial(connect, "morrow-api-listener"), channels, bell, API)
    app.state.known_limits = Recent(MOST_KNOWN, math.inf)
    app.state.recent_forecasts = RecentForecasts(settings.forecast_cache_bytes)
    spool = app.state.spool = open_spool(settings)
    async with AsyncExitStack() as held:
        held.push_async_callback(engine.dispose)
        sessions = make_sessions(engine, settings.longest_idle)
        resources = app.state.resources = Resources(
            settings=settings,
            engine=engine,
            sessions=sessions,
            artifacts=open_store(settings.model_root()),
            bell=bell,
            listener=listener,
            door=await held.enter_async_context(open_door(settings, engine, sessions)),
            requests=RequestLimits(engine, settings.attempts_per_minute),
            streams=Streams(engine, sessions),
            served=ForecastTally(sessions),
        )
        app.state.hub = await held.enter_async_context(open_hub(settings, listener))
        replay = Replay(resources, spool, READERS)
        erasing = Erasing(Eraser(resources, spool), partial(_forget, app))
        held.push_async_callback(resources.served.tell)
        held.enter_context(serve_own_metrics(settings.metrics_host, settings.metrics_port))
        loops = (listener.run(), bell.run(), replay.run(), erasing.run())
        telling = (resources.streams.run(), resources.served.run())
        await held.enter_async_context(running(*loops, *telling))
        yield


def _forget(app: FastAPI, tenant_id: UUID) -> None:
    """The tenant is no more: nothing of it stays in this process."""
    app.state.resources.door.known_keys.end_tenant(tenant_id)
    app.state.known_limits.forget(tenant_id)
    app.state.recent_forecasts.drop_tenant(tenant_id)
    app.state.hub.end_tenant(tenant_id)


def _probes(app: FastAPI) -> APIRouter:
    async def database() -> str | None:
        return await _fault_of_database(app.state.resources.engine)

    async def migrations() -> str | None:
        return await _fault_of_migrations(app.state.resources.engine)

    async def listener() -> str | None:
        hears = app.state.resources.listener.hears
        return None if hears else "what is rung is not heard: the listening connection is made anew"

    async def model_store() -> str | None:
        return await _fault_of_store(app.state.resources.artifacts)

    async def spool() -> str | Well | None:
        return await state_of_spool(app.state.spool)

    checks = {
        "database": database,
        "migrations": migrations,
        "listener": listener,
        "model_store": model_store,
        "spool": spool,
    }
    return health_router(VERSION, checks)


async def _fault_of_database(engine: AsyncEngine) -> str | None:
    try:
        async with engine.connect():
            return None
    except (SQLAlchemyError, OSError) as error:
        return type(error).__name__


async def _fault_of_migrations(engine: AsyncEngine) -> str | None:
    try:
        async with engine.connect() as connection:
            revisions = await read_revisions(connection)
    except (SQLAlchemyError, OSError) as error:
        return type(error).__name__
    return None if revisions.fit else revisions.difference()


async def _fault_of_store(store: ArtifactStore) -> str | None:
    try:
        await store.check()
    except ArtifactError as error:  # anyone may ask: the place, and what it said, are for the log
        log.warning("model_store_failed", error=str(error))
        return type(error).__name__
    return None
