"""How the real tenants are shaped: where the assumed sizes and classes come from.

    python -m benchmarks.scaling.shape [SET ...]

JSON: of how many series each tenant is, the median and the spread of the log-normal distribution
through them, and the shares of the volume classes among all their series.
"""

import json
import math
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import mean, stdev
from typing import Final

from benchmarks.real_data import DataSetAbsent, TenantData, read_tenant
from services.training.demand.classification import VolumeClass, volume_class

SETS: Final = (
    *("circly_at", "ddop_bakery", "edinburgh_bakery", "french_bakery"),
    *("kiel_bakery", "pharma_rs", "rossmann", "yaz_restaurant"),
)


def shape_of(names: Sequence[str] = SETS) -> dict[str, object]:
    classes = Counter[VolumeClass]()
    sizes, skipped = {}, {}
    for name in names:
        try:
            found = classes_of(read_tenant(name))
        except DataSetAbsent as absent:
            skipped[name] = str(absent)
        else:
            sizes[name] = found.total()
            classes += found
    return {"series": sizes, **_distribution(sizes.values(), classes), "skipped": skipped}


def classes_of(tenant: TenantData) -> Counter[VolumeClass]:
    series = tenant.sales.groupby(["location", "product"])["quantity"]
    return Counter(volume_class(sales.to_numpy(float)) for _, sales in series)


def _distribution(sizes: Iterable[int], classes: Counter[VolumeClass]) -> dict[str, object]:
    logs = [math.log(size) for size in sizes]
    if len(logs) < 2:
        return {}
    return {
        "median": round(math.exp(mean(logs)), 1),
        "sigma_of_logarithm": round(stdev(logs), 2),
        "shares": {each.value: round(classes[each] / classes.total(), 3) for each in VolumeClass},
    }


if __name__ == "__main__":
    print(json.dumps(shape_of(sys.argv[1:] or SETS), indent=2))
