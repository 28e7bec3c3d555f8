"""What a tenant's suppliers tell: its own number, every day."""

import datetime as dt

from tests.security.holdings import Marks
from tests.sources.upstreams import Answer, Asked, said


class Supplier:
    """Sales, weather and traffic by Morrow's own contract."""

    def __init__(self, marks: Marks) -> None:
        self.marks = marks

    def __call__(self, asked: Asked) -> Answer:
        if asked.path == "/sales":
            return said({"items": [self._sale()], "next_cursor": None})
        days = list(_days(asked))[-3:]
        if asked.path == "/traffic":
            return said({"items": [self._traffic(day) for day in days]})
        return said({"items": [self._weather(day) for day in days]})

    def _sale(self) -> dict[str, object]:
        day = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=2)
        name = self.marks.name("pulled")
        return {"date": str(day), "product": name, "quantity": self.marks.number}

    def _traffic(self, day: dt.date) -> dict[str, object]:
        return {"date": str(day), "index": self.marks.number}

    def _weather(self, day: dt.date) -> dict[str, object]:
        return {"date": str(day), "temp_mean": self.marks.number / 1000}


def _days(asked: Asked) -> list[dt.date]:
    first, last = (dt.date.fromisoformat(asked.query[name]) for name in ("start", "end"))
    return [first + dt.timedelta(days=n) for n in range((last - first).days + 1)]
