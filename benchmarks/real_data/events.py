"""Events of a tenant's calendar, from the forms in which data sets keep them."""

import re
import unicodedata

import pandas as pd


def identifier(name: str) -> str:
    """A name as an identifier: lower-case letters and digits, joined by dashes."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")


def flagged_event(days: pd.DataFrame, column: str, name: str) -> pd.DataFrame:
    """One event on each day whose flag is 1."""
    dates = days.loc[days[column] == 1, ["date"]]
    return _events(dates.assign(name=name, event=identifier(name)))


def named_events(days: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """An event for each name that stands in one of the columns."""
    parts = [days.loc[days[column].notna(), ["date", column]].set_axis(["date", "name"], axis=1)
             for column in columns]  # fmt: skip
    named = pd.concat(parts, ignore_index=True)
    return _events(named.assign(event=named["name"].map(identifier)))


def local_events(days: pd.DataFrame) -> pd.DataFrame:
    """Events from columns date, name, scope (part of the identifier) and location."""
    events = (days["name"] + " " + days["scope"]).map(identifier)
    return _events(days.assign(event=events))


def _events(days: pd.DataFrame) -> pd.DataFrame:
    wanted = ["event", "name", "date", "window_before", "window_after", "location"]
    full = days.assign(window_before=0, window_after=0)
    kept = full[[column for column in wanted if column in full]].drop_duplicates()
    return kept.sort_values(["event", "date"], ignore_index=True)
