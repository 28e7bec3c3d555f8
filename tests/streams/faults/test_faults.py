"""Whoever watches a job is told every event once and in order, whatever dies, freezes or is cut."""

import json

import pytest

from tests.streams.faults.running import begin
from tests.streams.faults.schedule import ALL

SHORT, LONG = 60, 200


@pytest.mark.timeout(300)
@pytest.mark.parametrize("watchers", [SHORT, pytest.param(LONG, marks=pytest.mark.long)])
def test_watchers_are_told_everything_once_and_in_order_under_faults(watchers: int) -> None:
    ended = begin("--watchers", str(watchers)).end()
    figures = ended.figures
    print(json.dumps(figures))
    assert figures["broken"] == [], ended.said
    assert sum(figures["watchers"].values()) == watchers
    assert (figures["missed"], figures["again"], figures["differing"]) == (0, 0, 0)
    assert sum(figures["dealt"].values()) == ALL.total
    assert figures["dealt"]["cut_listeners"] == 20
    assert ended.status == 0
