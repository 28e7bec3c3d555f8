"""What a benchmark knows about one tenant."""

from dataclasses import dataclass, field

import pandas as pd


def no_regressors() -> pd.DataFrame:
    return pd.DataFrame({"date": pd.Series(dtype="datetime64[us]")})


def no_events() -> pd.DataFrame:
    days = pd.Series(dtype="datetime64[us]")
    text = pd.Series(dtype="str")
    window = pd.Series(dtype="int64")
    return pd.DataFrame(
        {"event": text, "name": text, "date": days, "window_before": window, "window_after": window}
    )


def no_locations() -> pd.DataFrame:
    text = pd.Series(dtype="str")
    return pd.DataFrame({"location": text, "country": text, "subdivision": text})


@dataclass(frozen=True, slots=True, eq=False)
class TenantData:
    """One data set as a tenant, in the API's columns.

    sales: date, product, location, quantity and, where the source has them, price, promotion (0/1)
        and open. Open is 0, and quantity unknown, where the source says or shows that the shop was
        closed; a set that says nothing about closed days has no such column, and its zeros stay.
    regressors: date, location unless it holds for all, and numbers; unknown is NaN.
    events: event (identifier), name, date, window_before, window_after, and location where an
        event is not everywhere (missing: everywhere).
    locations: location, country, subdivision, where these differ from the tenant's own, and
        latitude and longitude where the source has them.
    known_in_advance: the columns of sales and regressors whose future a forecast may use. Events
        are always known. Weather never is.
    """

    name: str
    country: str
    subdivision: str | None
    timezone: str
    currency: str
    unit: str
    sales: pd.DataFrame
    regressors: pd.DataFrame = field(default_factory=no_regressors)
    events: pd.DataFrame = field(default_factory=no_events)
    locations: pd.DataFrame = field(default_factory=no_locations)
    known_in_advance: frozenset[str] = frozenset()
