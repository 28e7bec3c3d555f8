"""What the sample bakery knows, and hides, about one product."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Product:
    """One product: its trade data, then the true effects on its demand.

    `weekday` runs from Monday to Sunday. `season` is the log amplitude of a yearly wave that peaks
    on day `season_peak`; `warmth` the log effect of 10 °C above the season's norm; `rain` that of
    10 mm; `trend` the log growth a year; `lift` the log effect of a full price cut, so that a
    promotion of depth 0.2 multiplies demand by exp(0.2 lift). `dispersion` is the negative
    binomial's: variance = mean + dispersion mean². `margin` is what is baked over the expected
    demand; None: made to order, never sold out. `sold_from` and `sold_until` are shares of the
    history.
    """

    product: str
    name: str
    category: str
    price: float
    unit_cost: float
    level: float
    weekday: tuple[float, float, float, float, float, float, float]
    margin: float | None
    salvage_value: float = 0.0
    shelf_life_days: int = 1
    batch_size: int = 1
    season: float = 0.0
    season_peak: int = 15
    warmth: float = 0.0
    rain: float = -0.10
    trend: float = 0.0
    public_holiday: float = 1.0
    holiday_eve: float = 1.0
    school_holiday: float = 1.0
    festival: float = 1.0
    christmas_market: float = 1.0
    lift: float = 0.0
    dispersion: float = 0.02
    sold_on_sundays: bool = True
    sold_from: float = 0.0
    sold_until: float = 1.0
