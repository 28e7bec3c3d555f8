"""What imports did together, and where they ended before all was in."""

from typing import TypedDict, cast

from morrow.errors import Refused
from morrow.importing.part import Part
from morrow.schemas.problems import Fault
from morrow.schemas.sales import ImportReceipt
from morrow.schemas.spool import Receipt


class Imported(TypedDict):
    """What all imports did together. `waiting`: rows that the service keeps on its disk until its
    database is back, under these `receipts` (see `get_receipt`)."""

    received: int
    inserted: int
    updated: int
    unchanged: int
    waiting: int
    receipts: list[str]


def nothing() -> Imported:
    """Before the first of them."""
    return {
        "received": 0,
        "inserted": 0,
        "updated": 0,
        "unchanged": 0,
        "waiting": 0,
        "receipts": [],
    }


class ImportRefused(Refused):
    """The API refused a part. `errors` count rows from the first of all; `imported` is what the
    parts before did, which stays: sending them again changes nothing."""

    def __init__(self, refused: Refused, part: Part, imported: Imported) -> None:
        kept = imported["received"]
        super().__init__(
            refused.code,
            refused.detail
            + (f" (the {kept} rows before row {part.rows_before + 1} were kept)" if kept else ""),
            status=refused.status,
            errors=[_counted_from(part.rows_before, fault) for fault in refused.errors],
            request_id=refused.request_id,
            retry_after=refused.retry_after,
        )
        self.imported = imported


def with_answer(total: Imported, answer: ImportReceipt | Receipt) -> Imported:
    """With what was answered for a part: what it did, or that it waits on the service's disk."""
    received = total["received"] + answer["received"]
    if "status_url" in answer:
        receipt = cast("Receipt", answer)
        receipts = [*total["receipts"], receipt["id"]]
        waiting = total["waiting"] + receipt["received"]
        return {**total, "received": received, "waiting": waiting, "receipts": receipts}
    return {
        **total,
        "received": received,
        "inserted": total["inserted"] + answer["inserted"],
        "updated": total["updated"] + answer["updated"],
        "unchanged": total["unchanged"] + answer["unchanged"],
    }


def _counted_from(rows_before: int, fault: Fault) -> Fault:
    row = fault.get("row")
    return fault if row is None else {**fault, "row": row + rows_before}
