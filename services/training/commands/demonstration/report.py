"""What the demo has to show at its end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table

from morrow.schemas import Job, JobProduct
from services.training.commands.demonstration.sample_tenant import SampleTenant
from services.training.commands.demonstration.weeks import TwoWeeks
from services.training.commands.following import FAILED
from services.training.commands.forecast import means, next_open, units
from services.training.commands.job_tables import skill_text, totals
from services.training.commands.plot import sparkline
from services.training.commands.screen import table
from services.training.demand.findings import Code

REFUSALS = {code.value for code in Code}


@dataclass(frozen=True, slots=True)
class Report:
    """One run of the demo, in its own measured figures."""

    url: str
    suppliers_url: str
    tenant: SampleTenant
    job: Job
    products: Sequence[JobProduct]
    weeks: Sequence[TwoWeeks]
    seconds: Mapping[str, float]

    def faults(self) -> list[str]:
        """What did not work. That a product is refused for its data is no fault."""
        faults = [
            f"{item['product']}: {item['error']['message'] if item['error'] else item['state']}"
            for item in self.products
            if not _is_answered(item)
        ]
        if self.job["status"] in FAILED:
            faults.append(f"the job {self.job['status']}")
        without = {item["product"] for item in self.products} - {it.product for it in self.weeks}
        return faults + [f"{product} has no forecast" for product in sorted(without)]

    def as_json(self) -> dict[str, Any]:
        return {
            "url": self.url,
            "suppliers_url": self.suppliers_url,
            "api_key": self.tenant.key,
            "job": self.job,
            "products": [week.as_json() for week in self.weeks],
            "seconds": {name: round(value, 3) for name, value in self.seconds.items()},
            "faults": self.faults(),
        }


def shown(report: Report) -> list[RenderableType]:
    """The forecasts beside last week, then how long it all took."""
    forecasts: list[RenderableType] = ["", week_table(report.weeks), *remarks(report.weeks)]
    faults = [f"did not work: {fault}" for fault in report.faults()]
    return [*forecasts, "", step_table(report), "", job_totals(report), *faults]


def week_table(weeks: Sequence[TwoWeeks]) -> Table:
    """A line for each product: last week, the coming week, the next open day's 80 % interval."""
    shown = table(
        *(
            "product",
            "last\nweek",
            "",
            "sold\nout",
            "coming\nweek",
            "",
            "next open day,\n80 % interval",
        ),
        *("by", "skill"),
        right=("last\nweek", "sold\nout", "coming\nweek", "skill"),
    )
    for week in weeks:
        coming = means(week.coming)
        top = max((value for value in (*week.last, *coming) if value is not None), default=0.0)
        shown.add_row(
            *(escape(week.product), units(week.last_units), sparkline(week.last, top)),
            f"{week.sold_out_days} d" if week.sold_out_days else "",
            *(units(week.coming_units), sparkline(coming, top)) if coming else ("–", ""),
            next_open(week.coming) if coming else _last_sold(week),
            "baseline" if week.forecast["level"] == "baseline" else week.forecast["family"],
            skill_text(None if week.model is None else week.model["skill"]),
        )
    return shown


def remarks(weeks: Sequence[TwoWeeks]) -> list[str]:
    """Why a product was refused, or is answered by the baseline."""
    reasons = {week.product: week.refusal or week.forecast["reason"] for week in weeks}
    lines = [f"  {product}: {why}" for product, why in reasons.items() if why]
    return ["", "answered by the same-weekday mean, because:", *lines] if lines else []


def step_table(report: Report) -> Table:
    shown = table("step", "seconds", right=("seconds",))
    for name, value in report.seconds.items():
        shown.add_row(name, f"{value:.1f}")
    shown.add_row("all", f"{sum(report.seconds.values()):.1f}", style="bold")
    return shown


def job_totals(report: Report) -> str:
    trials = sum(item["trials"] or 0 for item in report.products)
    computed = sum(item["seconds"] or 0.0 for item in report.products)
    return f"{totals(report.job)}; {trials} trials in {computed:.1f} s of training children"


def invitation(report: Report) -> list[str]:
    """Where it runs on, and something to try."""
    product = max(report.weeks, key=lambda week: week.coming_units).product
    asked = f"{report.url}/api/v1/forecasts?product={quote(product)}&days=7"
    return [
        "",
        f"Morrow runs at {report.url} (its documentation: {report.url}/docs)",
        f"API key of the sample tenant, kept in {report.tenant.key_file}: {report.tenant.key}",
        "Try:",
        f"  curl -H 'Authorization: Bearer {report.tenant.key}' '{asked}'",
        "Its suppliers can be made to fail (`morrow train --follow` then says what was away):",
        f"  curl -X POST '{report.suppliers_url}/fail?supplier=weather'",
        "Ctrl-C ends it.",
    ]


def _is_answered(item: JobProduct) -> bool:
    refused = item["error"] is not None and item["error"]["code"] in REFUSALS
    return item["state"] in {"succeeded", "skipped"} or refused


def _last_sold(week: TwoWeeks) -> str:
    return f"last sold {week.forecast['data_through']}"
