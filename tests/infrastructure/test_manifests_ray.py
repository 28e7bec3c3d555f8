"""What the manifests tell Ray is what the locked Ray knows."""

import json
import subprocess
import sys
from importlib.metadata import version

from infrastructure.kubernetes.checks.manifests import RAY, groups_of
from infrastructure.kubernetes.checks.node import Node
from tests.infrastructure.rendered import rendered

ASKED = """
import json
from ray._private import ray_constants
from ray.scripts.scripts import start
options = [name for each in start.params for name in each.opts]
print(json.dumps([options, ray_constants.DEFAULT_PORT]))
"""


def found() -> Node:
    [cluster] = rendered("cluster").of_kind(RAY)
    return cluster


def test_the_nodes_are_of_the_release_that_is_locked() -> None:
    assert found().at("spec", "rayVersion").text() == version("ray")


def test_what_the_nodes_are_started_with_is_what_ray_reads() -> None:
    ran = subprocess.run([sys.executable, "-c", ASKED], capture_output=True, text=True, check=True)
    known, port = json.loads(ran.stdout)
    spec = found()["spec"]
    for group in (spec["headGroupSpec"], *spec["workerGroupSpecs"].each()):
        assert {f"--{name}" for name in group["rayStartParams"].names()} <= set(known)
    head, *nodes = groups_of(found())
    assert head.ports()["gcs-server"] == port
    for group, pods in zip(
        (spec["headGroupSpec"], *spec["workerGroupSpecs"].each()), (head, *nodes), strict=True
    ):
        raylet = group.at("rayStartParams", "node-manager-port").text()
        assert raylet == str(pods.ports()["raylet"])
