"""Nothing is lost, done twice or published stale, whatever dies, freezes or is cut off."""

import json

import pytest

from tests.chaos.running import run_chaos

SHORT = ("--tasks", "2500", "--faults", "175")
NOTHING = (
    "lost",
    "double_effects",
    "stale_accepted",
    "wrong_answers",
    "acknowledged_and_gone",
    "locks_left",
    "orphans",
)


@pytest.mark.timeout(900)
def test_the_queue_keeps_its_promises_under_faults() -> None:
    status, figures, said = run_chaos(*SHORT)
    print(json.dumps(figures))
    assert figures["broken"] == [], said
    assert {name: figures[name] for name in NOTHING} == dict.fromkeys(NOTHING, 0)
    assert figures["stale_refused"] > 0
    assert sum(figures["faults"].values()) == 175
    assert status == 0
