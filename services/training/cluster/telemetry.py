"""What a worker tells of its cluster."""

from prometheus_client import Counter, Gauge

HEALTHY = Gauge(
    "morrow_cluster_healthy",
    "1 where the worker's cluster answered when a job last asked; 0 where not, or where none is",
)
TASKS = Gauge("morrow_cluster_tasks_running", "Children that this worker has on the cluster")
FALLBACKS = Counter(
    "morrow_cluster_fallbacks_total",
    "Jobs that were to run on the cluster, and ran on the worker's machine, by the reason",
    ["code"],
)
