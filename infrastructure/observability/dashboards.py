"""What is drawn: one dashboard for those who serve, one for those who train."""

from typing import Final

from infrastructure.observability.grafana import Dashboard, Line, Panel

OVER: Final = "[$__rate_interval]"


def rate(metric: str, by: str, where: str = "") -> str:
    """How often a second, by label."""
    return f"sum by ({by}) (rate({metric}{where}{OVER}))"


def quantile(share: float, histogram: str, by: str = "", where: str = "") -> str:
    """Of what a histogram saw lately, by label."""
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile({share}, {rate(f'{histogram}_bucket', labels, where)})"


def spread(histogram: str) -> tuple[Line, ...]:
    """Its median, 95th and 99th percentile."""
    return tuple(Line(quantile(share, histogram), f"{share:.0%}") for share in (0.5, 0.95, 0.99))


STREAMED: Final = '{route!~".*/(events|export|artifact)"}'

SERVING: Final = Dashboard(
    "serving",
    "Morrow: serving",
    (
        (
            Panel(
                "Requests",
                "Answered a second, by status.",
                "reqps",
                (Line(rate("morrow_http_request_seconds_count", "status"), "{{status}}"),),
            ),
            Panel(
                "Seconds of a request, 99th percentile",
                "By route, but for what is streamed.",
                "s",
                (
                    Line(
                        quantile(0.99, "morrow_http_request_seconds", "method, route", STREAMED),
                        "{{method}} {{route}}",
                    ),
                ),
            ),
        ),
        (
            Panel(
                "Database connections in use",
                "Of those that the pools may open: near 100 %, requests wait.",
                "percentunit",
                (
                    Line(
                        "max by (application) "
                        "(morrow_db_connections_in_use / (morrow_db_connections_most > 0))",
                        "{{application}}",
                    ),
                ),
            ),
            Panel(
                "Streams",
                "Open now, by kind.",
                "short",
                (Line("sum by (kind) (morrow_streams_open)", "{{kind}}"),),
            ),
            Panel(
                "Lag of streams",
                "From an event to its being sent to those who watch.",
                "s",
                spread("morrow_stream_lag_seconds"),
            ),
        ),
        (
            Panel(
                "Doorbells",
                "Seconds until a process heard what it rang itself.",
                "s",
                spread("morrow_doorbell_seconds"),
            ),
            Panel(
                "Listeners",
                "1 where every process of the role hears.",
                "short",
                (Line("min by (role) (morrow_listener_up)", "{{role}}"),),
            ),
            Panel(
                "Spool",
                "Batches of sales that wait on disks for the database, and the age of the oldest.",
                "short",
                (
                    Line("sum(morrow_spool_batches)", "batches"),
                    Line("max(morrow_spool_oldest_seconds)", "seconds of the oldest"),
                    Line("sum(morrow_spool_rejected)", "refused when replayed"),
                ),
            ),
            Panel(
                "Spans",
                "A second, sent to the collector, and lost by the reason.",
                "ops",
                (
                    Line(f"sum(rate(morrow_spans_sent_total{OVER}))", "sent"),
                    Line(rate("morrow_spans_dropped_total", "reason"), "lost: {{reason}}"),
                ),
            ),
        ),
    ),
)

TRAINING: Final = Dashboard(
    "training",
    "Morrow: training",
    (
        (
            Panel(
                "Queued",
                "Tasks that could be claimed now, by kind and class.",
                "short",
                (Line("max by (kind, class) (morrow_queue_tasks)", "{{kind}} {{class}}"),),
            ),
            Panel(
                "Age of the oldest queued",
                "By kind and class.",
                "s",
                (
                    Line(
                        "max by (kind, class) (morrow_queue_oldest_seconds)",
                        "{{kind}} {{class}}",
                    ),
                ),
            ),
            Panel(
                "Slots in use",
                "Tasks that run, of those that may at once. Trainings and pools share theirs.",
                "percentunit",
                (
                    Line(
                        "sum by (kind) (morrow_tasks_running) / "
                        "sum by (kind) (morrow_worker_slots)",
                        "{{kind}}",
                    ),
                ),
            ),
        ),
        (
            Panel(
                "Runs of tasks",
                "That ended a second, by kind and how.",
                "ops",
                (Line(rate("morrow_tasks_ended_total", "kind, how"), "{{kind}} {{how}}"),),
            ),
            Panel(
                "Seconds of a training",
                "Median, by demand class and the family that serves.",
                "s",
                (
                    Line(
                        quantile(0.5, "morrow_training_seconds", "demand_class, family"),
                        "{{demand_class}} {{family}}",
                    ),
                ),
            ),
            Panel(
                "Trials",
                "A second, by the family that serves.",
                "ops",
                (Line(rate("morrow_training_trials_total", "family"), "{{family}}"),),
            ),
        ),
        (
            Panel(
                "Skill",
                "Median of 1 - WQL / WQL of the same-weekday mean; 0 is no better.",
                "percentunit",
                (Line(quantile(0.5, "morrow_training_skill", "family"), "{{family}}"),),
            ),
            Panel(
                "Refused series",
                "A second, by the reason.",
                "ops",
                (Line(rate("morrow_trainings_refused_total", "code"), "{{code}}"),),
            ),
            Panel(
                "From a fit to its commit",
                "95th percentile, by step; `lock` is the wait for the job's row.",
                "s",
                (Line(quantile(0.95, "morrow_publish_seconds", "step"), "{{step}}"),),
            ),
        ),
        (
            Panel("Claims", "Seconds of one claim.", "s", spread("morrow_claim_seconds")),
            Panel(
                "Advisory locks",
                "Asked for a second, by what came of it.",
                "ops",
                (Line(rate("morrow_lock_seconds_count", "how"), "{{how}}"),),
            ),
            Panel(
                "What must not happen often",
                "In the last hour.",
                "short",
                (
                    Line("sum(increase(morrow_stale_publishes_total[1h]))", "stale publishes"),
                    Line("sum(increase(morrow_leases_lost_total[1h]))", "leases lost"),
                    Line(
                        "sum(increase(morrow_artifact_checksum_failures_total[1h]))",
                        "damaged artifacts",
                    ),
                ),
            ),
        ),
        (
            Panel(
                "Breakers that are not closed",
                "By the kind of upstream, in the process that has the most.",
                "short",
                (Line("max by (kind) (morrow_breakers_open)", "{{kind}}"),),
            ),
            Panel(
                "Calls to upstreams",
                "A second, by kind and how they ended.",
                "ops",
                (Line(rate("morrow_upstream_calls_total", "kind, how"), "{{kind}} {{how}}"),),
            ),
            Panel(
                "Periodic work",
                "Turns a second, by work and how they ended.",
                "ops",
                (Line(rate("morrow_periodic_turns_total", "work, how"), "{{work}} {{how}}"),),
            ),
        ),
    ),
)

DASHBOARDS: Final = (SERVING, TRAINING)
