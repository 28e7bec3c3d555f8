"""Batches that wait on the service's disk for its database."""

from morrow.call import Call, end, get
from morrow.schemas.spool import Receipt, Spool
from morrow.values import Id


def get_spool() -> Call[Spool]:
    """What of the tenant waits on the host that answers: how much, and the first five hundred."""
    return get("/spool", {"limit": 500})


def get_receipt(receipt_id: Id) -> Call[Receipt]:
    """What became of a batch that was acknowledged while the database was away."""
    return get("/spool/{receipt_id}", receipt_id=receipt_id)


def discard_rejected(receipt_id: Id) -> Call[None]:
    """Remove a rejected batch from the disk of the host that answers."""
    return end("/spool/{receipt_id}", receipt_id=receipt_id)
