"""The client that waits for its answers."""

from types import TracebackType
from typing import Final, Self

import httpx

from morrow import blocking, transfers
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
from morrow.wire import BlockingWire, run


class Client:
    """Morrow at `url`, called with `key`: a tenant's, or the operator's.

    Lists are iterators that ask for their pages as they come to them. What fails and may pass is
    tried again where that is safe, as `retries` says. Whatever goes wrong is a `MorrowError`.
    `timeout`: the seconds in which an answer has to begin, and each piece of it to come. May be
    shared by threads; to be closed, or used in a `with`.
    """

    def __init__(
        self,
        url: str,
        key: str,
        *,
        timeout: float = TIMEOUT,
        retries: Retries = Retries(),  # noqa: B008 - it is frozen
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        settings = settings_for(url, key, timeout)
        http = httpx.Client(**settings, transport=transport)
        self.link: Final[Link] = linked(BlockingWire(http), retries)

    def close(self) -> None:
        run(self.link.wire.close())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    live = blocking.call(platform.live)
    ready = blocking.call(platform.ready)
    list_circuit_breakers = blocking.pages(platform.list_circuit_breakers)
    reset_circuit_breaker = blocking.call(platform.reset_circuit_breaker)

    create_tenant = blocking.call(tenants.create_tenant)
    list_tenants = blocking.pages(tenants.list_tenants)
    get_tenant = blocking.call(tenants.get_tenant)
    change_tenant = blocking.call(tenants.change_tenant)
    erase_tenant = blocking.call(tenants.erase_tenant)
    get_erasure = blocking.call(tenants.get_erasure)
    get_own_tenant = blocking.call(tenants.get_own_tenant)
    get_usage = blocking.call(tenants.get_usage)
    list_audit_log = blocking.pages(tenants.list_audit_log)

    create_key = blocking.call(keys.create_key)
    create_key_for_tenant = blocking.call(keys.create_key_for_tenant)
    list_keys = blocking.pages(keys.list_keys)
    get_key = blocking.call(keys.get_key)
    rotate_key = blocking.call(keys.rotate_key)
    revoke_key = blocking.call(keys.revoke_key)

    put_location = blocking.call(catalogue.put_location)
    list_locations = blocking.pages(catalogue.list_locations)
    put_product = blocking.call(catalogue.put_product)
    list_products = blocking.pages(catalogue.list_products)
    put_calendar_event = blocking.call(catalogue.put_calendar_event)

    import_sales = blocking.task(send.import_sales)
    import_sales_file = blocking.task(send.import_sales_file)
    import_regressors = blocking.task(send.import_regressors)
    import_regressors_file = blocking.task(send.import_regressors_file)
    read_sales = blocking.pages(sales.read_sales)
    download_sales = blocking.task(transfers.download_sales)
    list_findings = blocking.pages(sales.list_findings)

    list_sources = blocking.pages(sources.list_sources)
    put_source = blocking.call(sources.put_source)
    sync_source = blocking.call(sources.sync_source)
    get_sync = blocking.call(sources.get_sync)

    create_job = blocking.call(training.create_job)
    list_jobs = blocking.pages(training.list_jobs)
    get_job = blocking.call(training.get_job)
    list_job_products = blocking.pages(training.list_job_products)
    cancel_job = blocking.call(training.cancel_job)
    list_events = blocking.pages(training.list_events)
    events = blocking.stream(follow.events)
    wait = blocking.task(follow.wait)
    create_stream_ticket = blocking.call(training.create_stream_ticket)
    get_retraining_policy = blocking.call(training.get_retraining_policy)
    put_retraining_policy = blocking.call(training.put_retraining_policy)

    list_models = blocking.pages(models.list_models)
    get_model = blocking.call(models.get_model)
    download_artifact = blocking.task(transfers.download_artifact)
    import_model = blocking.task(transfers.import_model)
    promote_model = blocking.call(models.promote_model)
    roll_back_model = blocking.call(models.roll_back_model)
    verify_models = blocking.call(models.verify_models)

    get_forecast = blocking.call(forecasts.get_forecast)
    list_forecasts = blocking.pages(forecasts.list_forecasts)
    download_forecasts = blocking.task(transfers.download_forecasts)
    explain_forecast = blocking.call(forecasts.explain_forecast)

    get_spool = blocking.call(spool.get_spool)
    get_receipt = blocking.call(spool.get_receipt)
    discard_rejected = blocking.call(spool.discard_rejected)
