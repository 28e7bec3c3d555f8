"""What can be done, by name: the subject's kind, and what became of it."""

from enum import StrEnum


class Action(StrEnum):
    TENANT_CREATED = "tenant.created"
    TENANT_CHANGED = "tenant.changed"
    ERASURE_BEGUN = "tenant.erasure_begun"
    TENANT_ERASED = "tenant.erased"
    LIMITS_CHANGED = "limits.changed"
    KEY_CREATED = "api_key.created"
    KEY_ROTATED = "api_key.rotated"
    KEY_REVOKED = "api_key.revoked"
    KEY_RECOVERED = "api_key.recovered"
    TOKEN_FIRST_USED = "token.first_used"  # noqa: S105 - the name of an act
    SOURCE_CONNECTED = "source.connected"
    SYNC_ASKED = "sync.asked"
    BREAKER_RESET = "circuit_breaker.reset"
    JOB_CREATED = "job.created"
    JOB_CANCELLED = "job.cancelled"
    MODEL_PROMOTED = "model.promoted"
    MODEL_ROLLED_BACK = "model.rolled_back"
    MODEL_IMPORTED = "model.imported"
    MODEL_QUARANTINED = "model.quarantined"
    MODEL_RELEASED = "model.released"
    RETRAINING_POLICY_CHANGED = "retraining_policy.changed"
    WEBHOOK_CREATED = "webhook.created"
    WEBHOOK_DELETED = "webhook.deleted"
    PRODUCT_PUT = "product.put"
    LOCATION_PUT = "location.put"
    EVENT_PUT = "event.put"
    SPOOL_DISCARDED = "spool.discarded"
