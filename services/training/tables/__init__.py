"""Every table. All carry `tenant_id` first in their keys and stand under row-level security.

The database is made by `migrations/`; a test holds these classes against it, both ways.
"""

from services.training.tables.audit import AuditEntry, AuditHead
from services.training.tables.breakers import BreakerInstance, BreakerReset, CircuitBreaker
from services.training.tables.erasure import Erasure
from services.training.tables.jobs import (
    IdempotentAnswer,
    Job,
    JobEvent,
    KeptPools,
    QueueShare,
    QueueTerms,
    StreamTicket,
    Task,
)
from services.training.tables.metering import OpenStream, RequestBucket, Usage
from services.training.tables.models import Forecast, Model, ModelAlias
from services.training.tables.periodic import PeriodicRun
from services.training.tables.retraining import (
    Retraining,
    RetrainingPolicy,
    SeriesGrowth,
    TrainingMark,
)
from services.training.tables.sales import (
    CalendarEvent,
    Location,
    Product,
    RegressorDay,
    Sale,
    SaleCorrection,
    Series,
)
from services.training.tables.sources import (
    OrderLine,
    Source,
    SourceSync,
    TrafficDay,
    WeatherDay,
)
from services.training.tables.spool import SpoolReceipt
from services.training.tables.table import Json, Table
from services.training.tables.tenants import ApiKey, Tenant

__all__ = [
    "ApiKey",
    "AuditEntry",
    "AuditHead",
    "BreakerInstance",
    "BreakerReset",
    "CalendarEvent",
    "CircuitBreaker",
    "Erasure",
    "Forecast",
    "IdempotentAnswer",
    "Job",
    "JobEvent",
    "Json",
    "KeptPools",
    "Location",
    "Model",
    "ModelAlias",
    "OpenStream",
    "OrderLine",
    "PeriodicRun",
    "Product",
    "QueueShare",
    "QueueTerms",
    "RegressorDay",
    "RequestBucket",
    "Retraining",
    "RetrainingPolicy",
    "Sale",
    "SaleCorrection",
    "Series",
    "SeriesGrowth",
    "Source",
    "SourceSync",
    "SpoolReceipt",
    "StreamTicket",
    "Table",
    "Task",
    "Tenant",
    "TrafficDay",
    "TrainingMark",
    "Usage",
    "WeatherDay",
]
