"""Nothing is lost, done twice or published stale, whatever dies, freezes or is cut off."""

import json

import pytest

from tests.chaos.orders import LONG_EVERY
from tests.chaos.running import run_chaos

SHORT, LONG = (1000, 50, 25), (2500, 175, LONG_EVERY)
"""Tasks, faults, and that one task in so many outlasts its lease, that publishes be stale."""
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
@pytest.mark.parametrize(
    ("tasks", "faults", "long_every"), [SHORT, pytest.param(*LONG, marks=pytest.mark.long)]
)
def test_the_queue_keeps_its_promises_under_faults(
    tasks: int, faults: int, long_every: int
) -> None:
    counts = ("--tasks", tasks, "--faults", faults, "--long-every", long_every)
    status, figures, said = run_chaos(*map(str, counts))
    print(json.dumps(figures))
    assert figures["broken"] == [], said
    assert {name: figures[name] for name in NOTHING} == dict.fromkeys(NOTHING, 0)
    assert figures["stale_refused"] > 0
    assert sum(figures["faults"].values()) == faults
    assert status == 0
