"""The client whose answers are awaited."""

from types import TracebackType
from typing import Final, Self

import httpx

from morrow import awaited, transfers
from morrow.calls import (
    catalogue,
    forecasts,
    keys,
    models,
    platform,
    sales,
    sources,
    spool,
    tenants,
    training,
)
from morrow.connecting import TIMEOUT, settings_for
from morrow.following import follow
from morrow.importing import send
from morrow.link import Link, linked
from morrow.retries import Retries
from morrow.wire import LoopWire


class AsyncClient:
    """What `Client` is, in an asyncio loop: the same operations, awaited, lists by `async for`."""

    def __init__(
        self,
        url: str,
        key: str,
        *,
        timeout: float = TIMEOUT,
        retries: Retries = Retries(),  # noqa: B008 - it is frozen
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        settings = settings_for(url, key, timeout)
        http = httpx.AsyncClient(**settings, transport=transport)
        self.link: Final[Link] = linked(LoopWire(http), retries)

    async def close(self) -> None:
        await self.link.wire.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    live = awaited.call(platform.live)
    ready = awaited.call(platform.ready)
    list_circuit_breakers = awaited.pages(platform.list_circuit_breakers)
    reset_circuit_breaker = awaited.call(platform.reset_circuit_breaker)

    create_tenant = awaited.call(tenants.create_tenant)
    list_tenants = awaited.pages(tenants.list_tenants)
    get_tenant = awaited.call(tenants.get_tenant)
    change_tenant = awaited.call(tenants.change_tenant)
    erase_tenant = awaited.call(tenants.erase_tenant)
    get_erasure = awaited.call(tenants.get_erasure)
    get_own_tenant = awaited.call(tenants.get_own_tenant)
    get_usage = awaited.call(tenants.get_usage)
    list_audit_log = awaited.pages(tenants.list_audit_log)

    create_key = awaited.call(keys.create_key)
    create_key_for_tenant = awaited.call(keys.create_key_for_tenant)
    list_keys = awaited.pages(keys.list_keys)
    get_key = awaited.call(keys.get_key)
    rotate_key = awaited.call(keys.rotate_key)
    revoke_key = awaited.call(keys.revoke_key)

    put_location = awaited.call(catalogue.put_location)
    list_locations = awaited.pages(catalogue.list_locations)
    put_product = awaited.call(catalogue.put_product)
    list_products = awaited.pages(catalogue.list_products)
    put_calendar_event = awaited.call(catalogue.put_calendar_event)

    import_sales = awaited.task(send.import_sales)
    import_sales_file = awaited.task(send.import_sales_file)
    import_regressors = awaited.task(send.import_regressors)
    import_regressors_file = awaited.task(send.import_regressors_file)
    read_sales = awaited.pages(sales.read_sales)
    download_sales = awaited.task(transfers.download_sales)
    list_findings = awaited.pages(sales.list_findings)

    list_sources = awaited.pages(sources.list_sources)
    put_source = awaited.call(sources.put_source)
    sync_source = awaited.call(sources.sync_source)
    get_sync = awaited.call(sources.get_sync)

    create_job = awaited.call(training.create_job)
    list_jobs = awaited.pages(training.list_jobs)
    get_job = awaited.call(training.get_job)
    list_job_products = awaited.pages(training.list_job_products)
    cancel_job = awaited.call(training.cancel_job)
    list_events = awaited.pages(training.list_events)
    events = awaited.stream(follow.events)
    wait = awaited.task(follow.wait)
    create_stream_ticket = awaited.call(training.create_stream_ticket)
    get_retraining_policy = awaited.call(training.get_retraining_policy)
    put_retraining_policy = awaited.call(training.put_retraining_policy)

    list_models = awaited.pages(models.list_models)
    get_model = awaited.call(models.get_model)
    download_artifact = awaited.task(transfers.download_artifact)
    import_model = awaited.task(transfers.import_model)
    promote_model = awaited.call(models.promote_model)
    roll_back_model = awaited.call(models.roll_back_model)
    verify_models = awaited.call(models.verify_models)

    get_forecast = awaited.call(forecasts.get_forecast)
    list_forecasts = awaited.pages(forecasts.list_forecasts)
    download_forecasts = awaited.task(transfers.download_forecasts)
    explain_forecast = awaited.call(forecasts.explain_forecast)

    get_spool = awaited.call(spool.get_spool)
    get_receipt = awaited.call(spool.get_receipt)
    discard_rejected = awaited.call(spool.discard_rejected)
