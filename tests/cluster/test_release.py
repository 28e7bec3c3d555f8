"""Both ends run the same code, or do not work together."""

from pathlib import Path

import pytest

from services.training.cluster.cluster import Cluster
from services.training.cluster.errors import ClusterAway
from services.training.cluster.seat import CORE, Release
from tests.cluster.conftest import Nodes
from tests.mutants import Mutant, mutated_tree
from tests.queue import made_work

ROOT = Path(__file__).parents[2]


def test_a_release_is_told_by_the_code_that_trains() -> None:
    assert (CORE / "train.py").is_file()
    assert Release.here() == Release.here()
    assert Release.here().core in str(Release.here())


@pytest.mark.long
async def test_a_cluster_of_another_release_is_refused_and_both_are_named(
    nodes: Nodes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker's bridge runs a changed copy; the nodes run what is here."""
    change = Mutant(
        "services/training/demand/config.py", "horizon_days: int = 28", "horizon_days: int = 29"
    )
    monkeypatch.syspath_prepend(str(mutated_tree(ROOT, tmp_path / "copy", change)))
    async with Cluster(nodes.address, 1, []) as cluster:
        with pytest.raises(ClusterAway, match=Release.here().core) as caught:
            await cluster.slots[0].run(made_work.double, 1, print, 60)
        assert caught.value.code == "cluster_version"
        fault = await cluster.fault()
        assert fault is not None
        assert fault.code == "cluster_version"
