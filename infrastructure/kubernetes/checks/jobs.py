"""Work that ends, and work that comes again."""

import re
from collections.abc import Iterator

from infrastructure.kubernetes.checks.manifests import Manifests, role_of, title_of
from infrastructure.kubernetes.checks.node import Node
from services.training.backup.retention import LONGEST

DAY_SECONDS = 24 * 3600
LOOKED_AT_SECONDS = 10
"""How often CronJobs are looked at: with a shorter deadline a run may never begin."""
FIELDS = {
    "minute": (0, 59),
    "hour": (0, 23),
    "day": (1, 31),
    "month": (1, 12),
    "weekday": (0, 6),
}
PART = re.compile(r"(?:\*|(\d+)(?:-(\d+))?)(?:/([1-9]\d*))?")


def jobs(manifests: Manifests) -> Iterator[str]:
    """What runs for ever, is not tried again, or comes at no time, or over itself."""
    for job in manifests.of_kind("Job"):
        for fault in _of_job(job["spec"]):
            yield f"{title_of(job)}: {fault}"
    for cron in manifests.of_kind("CronJob"):
        inner = cron.at("spec", "jobTemplate", "spec")
        for fault in (*_of_job(inner), *_of_times(cron["spec"], inner), *_of_backup(inner)):
            yield f"{title_of(cron)}: {fault}"


def _of_job(job: Node) -> Iterator[str]:
    if not job["activeDeadlineSeconds"]:
        yield "activeDeadlineSeconds is not set: a run that hangs does so for ever"
    if not job["backoffLimit"]:
        yield "backoffLimit is not set: seven pods in a row"
    if job.at("template", "spec", "restartPolicy").text() != "Never":
        yield "restartPolicy is not Never: the log of a run that failed is lost"


def _of_times(cron: Node, job: Node) -> Iterator[str]:
    yield from _of_schedule(cron["schedule"].text())
    if not cron["timeZone"]:
        yield "timeZone is not set, and that of the control plane is anybody's"
    if cron["suspend"].value:
        yield "it is suspended"
    if cron["concurrencyPolicy"].text() != "Forbid":
        yield "concurrencyPolicy is not Forbid: a run may begin before the last has ended"
    late = cron["startingDeadlineSeconds"].number()
    if late < LOOKED_AT_SECONDS:
        yield f"startingDeadlineSeconds is {late:g}: what the controller misses is not made up for"
    if late + job["activeDeadlineSeconds"].number() >= DAY_SECONDS:
        yield "a run may last until the next day's"
    for name in ("successfulJobsHistoryLimit", "failedJobsHistoryLimit"):
        if cron[name].number() < 1:
            yield f"{name} keeps no log"


def _of_schedule(schedule: str) -> Iterator[str]:
    fields = schedule.split()
    if len(fields) != len(FIELDS):
        yield f"schedule {schedule!r} has not five fields"
        return
    for field, (name, (least, most)) in zip(fields, FIELDS.items(), strict=True):
        if not all(_is_within(part, least, most) for part in field.split(",")):
            yield f"schedule {schedule!r}: {field} is no {name}"


def _is_within(part: str, least: int, most: int) -> bool:
    match = PART.fullmatch(part)
    if match is None:
        return False
    numbers = [int(each) for each in match.groups()[:2] if each is not None]
    return all(least <= each <= most for each in numbers) and numbers == sorted(numbers)


def _of_backup(job: Node) -> Iterator[str]:
    for container in job.at("template", "spec", "containers").each():
        lasts = job["activeDeadlineSeconds"].number()
        if role_of(container) == "backup" and lasts > LONGEST.total_seconds():
            yield f"activeDeadlineSeconds is {lasts:g}, and a backup gives up before"
