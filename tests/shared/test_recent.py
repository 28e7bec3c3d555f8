"""What was true a short while ago is bounded, and soon is not told any more."""

from shared.recent import Recent


def test_it_is_told_for_so_long_and_no_longer() -> None:
    now = 100.0
    recent = Recent[str, int](most=5, seconds=60, clock=lambda: now)
    recent.note("a", 1)
    now = 160.0
    assert recent.get("a") == 1
    now = 160.1
    assert recent.get("a") is None
    recent.note("a", 2)
    now = 220.0
    assert recent.get("a") == 2


def test_what_is_no_longer_true_is_forgotten_and_the_rest_is_not() -> None:
    recent = Recent[str, int](most=5, seconds=60)
    recent.note("a", 1)
    recent.note("b", 2)
    recent.forget("a")
    recent.forget("never")
    assert (recent.get("a"), recent.get("b")) == (None, 2)


def test_the_least_recently_noted_leaves_first() -> None:
    recent = Recent[int, int](most=3, seconds=60)
    for key in (1, 2, 3, 1, 4):
        recent.note(key, key)
    assert [recent.get(key) for key in (1, 2, 3, 4)] == [1, None, 3, 4]
