"""What the queue counts."""

from prometheus_client import Counter, Gauge, Histogram

CLAIM_SECONDS = Histogram(
    "morrow_claim_seconds",
    "Seconds of one claim statement",
    buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5),
)
TASKS_ENDED = Counter(
    "morrow_tasks_ended_total", "Runs of tasks by how they ended", ["kind", "how"]
)
TASKS_RUNNING = Gauge(
    "morrow_tasks_running", "Tasks that run now", ["kind"], multiprocess_mode="livesum"
)
TASK_SECONDS = Histogram(
    "morrow_task_seconds",
    "Seconds from a claim to its end",
    ["kind"],
    buckets=(0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000, 3600),
)
STALE_PUBLISHES = Counter("morrow_stale_publishes_total", "Publishes that the fence refused")
LEASES_LOST = Counter("morrow_leases_lost_total", "Leases that ended before their work did")
LEADS = Gauge(
    "morrow_leads", "1 while this worker leads the periodic work", multiprocess_mode="livesum"
)
PERIODIC_TURNS = Counter(
    "morrow_periodic_turns_total", "Turns of periodic work by how they ended", ["work", "how"]
)
PRUNED = Counter("morrow_pruned_total", "Rows and artifacts that were kept no longer", ["kind"])
QUEUED_TASKS = Gauge(
    "morrow_queue_tasks",
    "Tasks that could be claimed now, as the leading worker sees them; 0 by all others",
    ["kind", "class"],
    multiprocess_mode="livemax",
)
OLDEST_SECONDS = Gauge(
    "morrow_queue_oldest_seconds",
    "Seconds since the oldest task that could be claimed now was put in, as the leading worker "
    "sees it; 0 by all others, and where none is queued",
    ["kind", "class"],
    multiprocess_mode="livemax",
)
SLOTS = Gauge(
    "morrow_worker_slots",
    "Tasks of the kind that may run at once; kinds of one lane share its slots",
    ["kind"],
    multiprocess_mode="livesum",
)
LOCK_SECONDS = Histogram(
    "morrow_lock_seconds",
    "Seconds until an advisory lock was `had`, refused as `busy`, or its connection `lost`",
    ["how"],
    buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5),
)
