"""What the fill asks for and brings in, which rows of the matrix ask for again."""

import datetime as dt
from typing import Any, Final

from services.training.models.bundle import pack
from tests.models.made_models import THROUGH, forecast_days, made_bundle
from tests.security.holdings import Marks

HORIZON: Final = 7
WITH_POOL: Final[dict[str, Any]] = {"families": ["pooled"], "horizon_days": HORIZON}
WITHOUT_POOL: Final[dict[str, Any]] = {"families": ["baseline"], "horizon_days": HORIZON}
EXPLAINED_DAY: Final = str(THROUGH + dt.timedelta(days=1))


def bundle_bytes(marks: Marks, product: str, location: str, number: int) -> bytes:
    """A model that was exported somewhere, with the tenant's number all over it."""
    days = [day | {"mean": day["mean"] + marks.number + number} for day in forecast_days(HORIZON)]
    bundle = made_bundle(
        product=product,
        location=location,
        params={marks.word: marks.number},
        forecast=days,
        trials=[{"number": number, "loss": marks.number, "of": marks.name("trial")}],
        effects={"parts": {marks.name("part"): [marks.number + day for day in range(HORIZON)]}},
    )
    return pack(bundle)
