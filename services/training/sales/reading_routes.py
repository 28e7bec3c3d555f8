"""Rows out: the sales as they are stored, and what there is to say about them."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from services.training.demand.quality import Limits
from services.training.deps import Held, Reader
from services.training.sales.export import Wanted, export_sales
from services.training.sales.export_formats import MEDIA_TYPES, Format, writer_of
from services.training.sales.quality import find_quality
from services.training.sales.schemas import FindingList, FindingOut
from shared.errors import invalid
from shared.scalars import Day
from shared.text import Name

router = APIRouter(tags=["sales"])

EXPORT_ANSWER = {
    "description": "the rows, in the format asked for",
    "content": {
        MEDIA_TYPES[Format.JSON]: {
            "schema": {
                "type": "object",
                "properties": {"items": {"type": "array"}, "next_cursor": {"type": "null"}},
            }
        },
        "text/csv": {"schema": {"type": "string"}},
        MEDIA_TYPES[Format.PARQUET]: {"schema": {"type": "string", "format": "binary"}},
    },
}


@router.get("/sales", response_class=StreamingResponse, responses={200: EXPORT_ANSWER})
async def read_sales(
    caller: Reader,
    held: Held,
    product: Name | None = None,
    location: Name | None = None,
    first: Annotated[Day | None, Query(alias="from", description="first day")] = None,
    last: Annotated[Day | None, Query(alias="to", description="last day, included")] = None,
    format: Format = Format.JSON,
) -> StreamingResponse:
    """Stream the stored rows in order of location, product and date."""
    if first is not None and last is not None and first > last:
        raise invalid("from", "empty_range", f"from={first} is after to={last}")
    wanted = Wanted(_only(product), _only(location), first or dt.date.min, last or dt.date.max)
    return StreamingResponse(
        export_sales(held.sessions, caller.tenant_id, wanted, writer_of(format)),
        media_type=MEDIA_TYPES[format],
        headers={"Content-Disposition": f'attachment; filename="sales.{format}"'},
    )


@router.get("/sales/quality")
async def read_quality(
    caller: Reader, held: Held, product: Name | None = None, location: Name | None = None
) -> FindingList:
    """What stands in the way of good forecasts, gravest first, and what to do about it."""
    limits = Limits(held.settings.min_training_data_days, intermittent_allowed=True)
    found = await find_quality(
        held.sessions,
        caller.tenant_id,
        _only(product),
        _only(location),
        limits,
        dt.datetime.now(dt.UTC).date(),
    )
    return FindingList(items=[FindingOut.model_validate(finding) for finding in found])


def _only(name: str | None) -> list[str] | None:
    return None if name is None else [name]
