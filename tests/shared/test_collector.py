"""A full collection looks at what came since the last one, and at everything once in a while."""

import gc
import weakref

from shared.collector import short_collections

HOURS = 10_000.0


class Knot:
    """Kept by nothing but itself, once it is let go."""

    def __init__(self) -> None:
        self.itself = self


def is_looked_at(thing: object) -> bool:
    return any(thing is each for generation in range(3) for each in gc.get_objects(generation))


def test_what_is_kept_is_not_looked_at_again() -> None:
    before = gc.get_freeze_count()
    kept = Knot()
    with short_collections(HOURS):
        assert not is_looked_at(kept)
        came_since = Knot()
        assert is_looked_at(came_since)
        gc.collect()
        assert not is_looked_at(came_since)
    assert is_looked_at(kept)
    assert gc.get_freeze_count() <= before


def test_what_came_and_went_since_the_last_collection_goes_with_the_next() -> None:
    with short_collections(HOURS):
        knot = Knot()
        went = weakref.ref(knot)
        del knot
        gc.collect()
        assert went() is None


def test_a_cycle_among_what_was_kept_goes_when_everything_is_looked_at() -> None:
    with short_collections(0.0):
        knot = Knot()
        gc.collect()
        went = weakref.ref(knot)
        del knot
        gc.collect()
        assert went() is None
    with short_collections(HOURS):
        knot = Knot()
        gc.collect()
        went = weakref.ref(knot)
        del knot
        gc.collect()
        assert went() is not None
    gc.collect()
    assert went() is None
