"""The table of data sets by name."""

from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.real_data.bakeries import (
    ddop_bakery,
    edinburgh_bakery,
    french_bakery,
    kiel_bakery,
)
from benchmarks.real_data.files import DATA
from benchmarks.real_data.gastronomy import coffee_vending, recruit_jp, yaz_restaurant
from benchmarks.real_data.groceries import favorita_tx, rohlik
from benchmarks.real_data.retail import (
    circly_at,
    m5_foods,
    m5_total,
    pharma_rs,
    rossmann,
    store_item_demand,
)
from benchmarks.real_data.tenant_data import TenantData

DATA_SETS: Mapping[str, Callable[[Path], TenantData]] = {
    "circly_at": circly_at,
    "coffee_vending": coffee_vending,
    "ddop_bakery": ddop_bakery,
    "edinburgh_bakery": edinburgh_bakery,
    "favorita_tx": favorita_tx,
    "french_bakery": french_bakery,
    "kiel_bakery": kiel_bakery,
    "m5_foods": m5_foods,
    "m5_total": m5_total,
    "pharma_rs": pharma_rs,
    "recruit_jp": recruit_jp,
    "rohlik": rohlik,
    "rossmann": rossmann,
    "store_item_demand": store_item_demand,
    "yaz_restaurant": yaz_restaurant,
}


def read_tenant(name: str, data: Path = DATA) -> TenantData:
    """The data set of this name. Raises KeyError for no such name, DataSetAbsent for no files."""
    if name not in DATA_SETS:
        raise KeyError(f"no data set {name!r}: choose one of {', '.join(DATA_SETS)}")
    return DATA_SETS[name](data)
