"""The same seed strikes the same."""

from collections import Counter

from tests.streams.faults.schedule import ALL, Kind, schedule


def test_a_schedule_is_a_function_of_its_seed() -> None:
    assert schedule(7, 20, ALL) == schedule(7, 20, ALL)
    assert schedule(7, 20, ALL) != schedule(8, 20, ALL)


def test_it_holds_as_many_of_each_kind_as_asked_for_in_order_of_their_time() -> None:
    found = schedule(7, 20, ALL)
    assert Counter(fault.kind for fault in found) == {
        Kind.CUT_LISTENERS: ALL.cuts,
        Kind.FREEZE_LISTENER: ALL.freezes,
        Kind.RESTART_DATABASE: ALL.restarts,
        Kind.TERMINATE_API: ALL.terminations,
        Kind.KILL_API: ALL.kills,
    }
    assert [fault.after for fault in found] == sorted(fault.after for fault in found)
    assert all(0 <= fault.after < 20 for fault in found)
