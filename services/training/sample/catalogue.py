"""What the sample bakery sells: fourteen products, each with its own way of selling."""

from services.training.sample.product import Product

MORNING = (0.85, 0.85, 0.90, 0.92, 1.05, 1.45, 1.35)
ERRAND = (0.95, 0.90, 0.95, 1.00, 1.15, 1.30, 1.00)
COFFEE_TABLE = (0.60, 0.65, 0.75, 0.80, 1.10, 1.50, 1.90)
OFFICE = (1.15, 1.20, 1.20, 1.15, 1.05, 0.60, 0.40)
EVERY_DAY_ALIKE = (1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)

CATALOGUE: tuple[Product, ...] = (
    Product(
        "roll", "Weizenbrötchen", "rolls", 0.45, 0.12, 320, MORNING, 1.25,
        salvage_value=0.02, batch_size=20, season=0.06, public_holiday=1.30, holiday_eve=1.25,
        school_holiday=0.88, festival=1.10, dispersion=0.012,
    ),
    Product(
        "pretzel", "Laugenbrezel", "rolls", 0.95, 0.22, 140, ERRAND, 1.25,
        salvage_value=0.04, batch_size=12, season=0.05, season_peak=200, school_holiday=0.85,
        festival=1.60, lift=2.2, dispersion=0.02,
    ),
    Product(
        "croissant", "Buttercroissant", "pastry", 1.60, 0.48, 75, MORNING, 1.22,
        salvage_value=0.05, batch_size=12, season=0.08, public_holiday=1.25, lift=2.6,
        dispersion=0.025,
    ),
    Product(
        "farmhouse-loaf", "Bauernbrot 1 kg", "bread", 4.60, 1.25, 48, ERRAND, 1.20,
        salvage_value=0.60, shelf_life_days=4, batch_size=4, season=0.12, warmth=-0.06,
        holiday_eve=1.45, trend=-0.06, dispersion=0.02, sold_on_sundays=False,
    ),
    Product(
        "spelt-loaf", "Dinkelbrot 750 g", "bread", 5.20, 1.60, 24, ERRAND, 1.25,
        salvage_value=0.70, shelf_life_days=4, batch_size=4, season=0.08, holiday_eve=1.35,
        trend=0.15, lift=1.8, dispersion=0.03, sold_on_sundays=False,
    ),
    Product(
        "apple-cake", "Apfelkuchen, Stück", "cake", 2.80, 0.75, 30, COFFEE_TABLE, 1.25,
        salvage_value=0.10, shelf_life_days=2, batch_size=12, season=0.15, season_peak=300,
        warmth=-0.12, public_holiday=1.40, festival=1.20, christmas_market=0.90, dispersion=0.05,
    ),
    Product(
        "strawberry-cake", "Erdbeerkuchen, Stück", "cake", 3.40, 1.05, 20, COFFEE_TABLE, 1.25,
        shelf_life_days=1, batch_size=12, season=0.90, season_peak=165, warmth=0.18,
        public_holiday=1.40, lift=1.5, dispersion=0.06,
    ),
    Product(
        "sandwich", "Belegtes Brötchen", "snacks", 3.90, 1.35, 42, OFFICE, 1.25,
        batch_size=2, warmth=0.04, school_holiday=0.70, dispersion=0.03,
        sold_on_sundays=False,
    ),
    Product(
        "coffee", "Kaffee", "drinks", 2.60, 0.35, 115, ERRAND, None,
        season=0.10, warmth=-0.08, rain=-0.05, trend=0.04, festival=1.40, christmas_market=1.15,
        dispersion=0.015,
    ),
    Product(
        "spelt-stick", "Dinkelseele", "rolls", 1.90, 0.55, 34, ERRAND, 1.25,
        batch_size=6, trend=0.25, lift=2.4, dispersion=0.04, sold_from=0.55,
    ),
    Product(
        "nut-swirl", "Nussschnecke", "pastry", 2.20, 0.65, 18, MORNING, 1.30,
        salvage_value=0.05, batch_size=6, season=0.20, trend=-0.30, dispersion=0.05,
        sold_until=0.70,
    ),
    Product(
        "gluten-free-loaf", "Glutenfreies Brot", "bread", 6.90, 2.80, 0.45, EVERY_DAY_ALIKE, None,
        shelf_life_days=3, rain=0.0, dispersion=0.5,
    ),
    Product(
        "celebration-cake", "Festtagstorte auf Bestellung", "cake", 38.0, 14.0, 0.30,
        COFFEE_TABLE, None,
        shelf_life_days=2, rain=0.0, dispersion=1.5,
    ),
    Product(
        "pumpkin-seed-loaf", "Kürbiskernbrot", "bread", 5.60, 1.75, 16, ERRAND, 1.30,
        salvage_value=0.70, shelf_life_days=4, batch_size=4, dispersion=0.04,
        sold_on_sundays=False, sold_from=0.97,
    ),
)  # fmt: skip
