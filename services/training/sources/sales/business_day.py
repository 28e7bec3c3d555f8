"""The day for which a sale counts: by the clock on the shop's wall, and from the hour on at which
its day begins."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo


def business_day(instant: datetime, zone: ZoneInfo, begins_at: int) -> date:
    """`begins_at`: the hour until which what is sold after midnight is of the day before."""
    on_the_wall = instant.astimezone(zone).replace(tzinfo=None)
    return (on_the_wall - timedelta(hours=begins_at)).date()
