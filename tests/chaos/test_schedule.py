"""The same seed strikes the same."""

from tests.chaos.schedule import UNTIL, Kind, schedule


def test_a_schedule_is_a_function_of_its_seed() -> None:
    assert schedule(7, 2500, 175) == schedule(7, 2500, 175)
    assert schedule(7, 2500, 175) != schedule(8, 2500, 175)


def test_it_holds_as_many_faults_as_asked_for_and_every_kind() -> None:
    for faults in (len(Kind), 175, 2000):
        found = schedule(7, 2500, faults)
        assert len(found) == faults
        assert {fault.kind for fault in found} == set(Kind)


def test_it_can_be_of_some_kinds_alone() -> None:
    kinds = (Kind.LEAP_OF_THE_CLOCK, Kind.KILL_CHILD)
    assert {fault.kind for fault in schedule(7, 40, 12, kinds)} == set(kinds)


def test_faults_strike_in_order_while_there_is_work_and_freeze_beyond_a_lease() -> None:
    found = schedule(7, 2500, 175)
    assert [fault.after for fault in found] == sorted(fault.after for fault in found)
    assert all(0 <= fault.after < 2500 * UNTIL and fault.leases > 1 for fault in found)
