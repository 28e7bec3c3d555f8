"""Jobs and what became of their series, as tables and in words."""

from typing import TYPE_CHECKING

from rich.markup import escape

from services.training.commands.screen import table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.table import Table

    from morrow.schemas import Job, JobProduct


def job_table(jobs: "Iterable[Job]") -> "Table":
    shown = table(
        *("id", "status", "percent", "series", "trained", "unchanged", "failed", "asked for"),
        right=("percent", "series", "trained", "unchanged", "failed"),
    )
    for job in jobs:
        counts = job["products"]
        shown.add_row(
            *(job["id"], job["status"], f"{job['percent']:.0f} %"),
            *(str(counts[name]) for name in ("total", "succeeded", "skipped", "failed")),
            job["created_at"][:16],
        )
    return shown


def product_table(products: "Iterable[JobProduct]") -> "Table":
    shown = table(
        *("product", "location", "state", "family", "skill", "stage", "trials", "seconds", "why"),
        right=("skill", "trials", "seconds"),
    )
    for item in products:
        error = item["error"]
        shown.add_row(
            *(escape(item["product"]), escape(item["location"]), item["state"]),
            *(item["family"] or "", skill_text(item["skill"]), item["stage"] or ""),
            "" if item["trials"] is None else str(item["trials"]),
            "" if item["seconds"] is None else f"{item['seconds']:.1f}",
            "" if error is None else escape(error["message"]),
        )
    return shown


def skill_text(skill: float | None) -> str:
    """How much less is lost than by the same-weekday mean."""
    return "" if skill is None else f"{skill:+.0%}"


def totals(job: "Job") -> str:
    counts = job["products"]
    named = {
        "trained": counts["succeeded"],
        "unchanged": counts["skipped"],
        "failed": counts["failed"],
        "cancelled": counts["cancelled"],
    }
    parts = ", ".join(f"{count} {name}" for name, count in named.items() if count)
    return f"job {job['id']} {job['status']}: {counts['total']} series, {parts or 'none'}"
