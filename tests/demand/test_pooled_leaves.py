"""How finely the pool's trees may split: the more rows, the more a leaf has to hold."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from services.training.demand.pooled.boosters import CATEGORIES, Rows, fit_boosters
from services.training.demand.pooled.config import PoolConfig

CONFIG = PoolConfig(rounds=5, rows_share=1.0, columns_share=1.0, leaves=400)


def noise(count: int) -> Rows:
    random = np.random.default_rng(6)
    return Rows(
        features=np.column_stack([random.random((count, 4)), np.zeros((count, len(CATEGORIES)))]),
        names=("one", "another", "third", "fourth", *CATEGORIES),
        target=random.random(count),
        weight=np.ones(count),
    )


def leaf_sizes(node: dict[str, object]) -> Iterator[int]:
    if "leaf_count" in node:
        yield int(str(node["leaf_count"]))
    for side in ("left_child", "right_child"):
        child = node.get(side)
        if isinstance(child, dict):
            yield from leaf_sizes(child)


@pytest.mark.parametrize(("rows", "least"), [(2_000, 40), (9_600, 40), (12_000, 50), (24_000, 100)])
def test_a_leaf_holds_its_share_of_the_rows_and_never_fewer_than_forty(
    rows: int, least: int
) -> None:
    (booster,) = fit_boosters(noise(rows), [{"objective": "regression"}], CONFIG, seed=1)
    trees = booster.dump_model()["tree_info"]
    sizes = [size for tree in trees for size in leaf_sizes(tree["tree_structure"])]
    assert len(sizes) > CONFIG.rounds
    assert least <= min(sizes) < 1.5 * least
