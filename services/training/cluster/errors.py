"""How the cluster fails those who train on it."""

from services.training.queue.task import TaskError


class ClusterAway(TaskError):
    """Nothing can be begun there: `code` says whether it is away, refuses us, or runs another
    release."""


class ClusterLost(TaskError):
    """What was under way there is gone: a node, the connection, or the cluster."""

    def __init__(self, message: str) -> None:
        super().__init__("cluster_lost", message)


AWAY = "cluster_unavailable"
OTHER_RELEASE = "cluster_version"
NO_ROOM = "cluster_full"
