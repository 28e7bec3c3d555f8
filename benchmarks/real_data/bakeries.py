"""Four bakeries: Kiel, a German chain, a French one and one in Edinburgh."""

from pathlib import Path

from benchmarks.real_data.closed_days import days_without_rows, marked_closed, with_closed_days
from benchmarks.real_data.events import flagged_event
from benchmarks.real_data.files import read_sales, read_table
from benchmarks.real_data.tenant_data import TenantData


def kiel_bakery(data: Path) -> TenantData:
    """Six product groups in EUR; closed on the days without any row."""
    sales = read_sales(data, "kiel_bakery")
    calendar = read_table(data, "kiel_bakery", "calendar.csv")
    # A WMO code is a name, not a number: as a regressor it would mean nothing.
    weather = read_table(data, "kiel_bakery", "weather.csv").drop(columns="weather_code_wmo")
    events = read_table(data, "kiel_bakery", "events.csv")
    return TenantData(
        name="kiel_bakery",
        country="DE",
        subdivision="SH",
        timezone="Europe/Berlin",
        currency="EUR",
        unit="EUR",
        sales=with_closed_days(sales, days_without_rows(sales)),
        regressors=calendar.merge(weather, on="date", how="outer"),
        events=flagged_event(events, "kieler_woche", "Kieler Woche"),
        known_in_advance=frozenset({"open", "cruise_ships", "school_holiday"}),
    )


def ddop_bakery(data: Path) -> TenantData:
    """Three products in eighteen shops of a chain; closed days are zeros that nothing marks."""
    return TenantData(
        name="ddop_bakery",
        country="DE",
        subdivision="BW",
        timezone="Europe/Berlin",
        currency="EUR",
        unit="piece",
        sales=read_sales(data, "ddop_bakery"),
        regressors=read_table(data, "ddop_bakery", "regressors.csv.gz"),
        known_in_advance=frozenset({"promotion", "school_holiday", "public_holiday"}),
    )


def french_bakery(data: Path) -> TenantData:
    """148 articles, most of them intermittent; its calendar names the closed days."""
    sales = read_sales(data, "french_bakery")
    calendar = read_table(data, "french_bakery", "calendar.csv")
    return TenantData(
        name="french_bakery",
        country="FR",
        subdivision=None,
        timezone="Europe/Paris",
        currency="EUR",
        unit="piece",
        sales=with_closed_days(sales, marked_closed(calendar, sales)),
        known_in_advance=frozenset({"open"}),
    )


def edinburgh_bakery(data: Path) -> TenantData:
    """94 articles over 159 days; its calendar names the closed days."""
    sales = read_sales(data, "edinburgh_bakery")
    calendar = read_table(data, "edinburgh_bakery", "calendar.csv")
    return TenantData(
        name="edinburgh_bakery",
        country="GB",
        subdivision="SCT",
        timezone="Europe/London",
        currency="GBP",
        unit="piece",
        sales=with_closed_days(sales, marked_closed(calendar, sales)),
        known_in_advance=frozenset({"open"}),
    )
