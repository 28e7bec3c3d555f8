"""What one day of a model's forecast is made of."""

import datetime as dt

from services.training import tables
from services.training.forecasts.schemas import Explanation, Part
from shared.errors import Problem, invalid


def explain_day(product: str, location: str, model: tables.Model, date: dt.date) -> Explanation:
    """The parts of `date`'s mean; they were computed when the model was trained."""
    lead = (date - model.trained_through).days
    parts = model.detail.get("effects", {}).get("parts")
    if not parts:
        raise Problem(409, "nothing_to_explain", f"a {model.family} model has no additive parts")
    if not 1 <= lead <= model.horizon_days:
        last = model.trained_through + dt.timedelta(days=model.horizon_days)
        message = f"the forecast ends on {last} and begins after {model.trained_through}"
        raise invalid("date", "outside_forecast", message)
    units = {name: float(values[lead - 1]) for name, values in parts.items()}
    return Explanation(
        product=product,
        location=location,
        model_id=model.id,
        date=date,
        mean=sum(units.values()),
        parts=[Part(name=name, units=value) for name, value in units.items()],
    )
