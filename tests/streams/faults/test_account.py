"""What is wrong with what a watcher was told is counted."""

from typing import Any

from tests.streams.faults.account import FINISHED, Account


def event(seq: int, percent: float = 1.0, **more: Any) -> dict[str, Any]:
    return {"seq": seq, "type": "product.progress", "percent": percent, **more}


def told(*events: dict[str, Any]) -> Account:
    account = Account("job", "way")
    for each in events:
        account.take(each)
    return account


def test_each_once_and_in_order_is_as_it_should_be() -> None:
    account = told(event(1), event(2), event(3))
    assert (account.last, account.missed, account.again, account.fell) == (3, 0, 0, 0)


def test_what_is_left_out_is_missed() -> None:
    assert told(event(2), event(5)).missed == 3


def test_what_comes_twice_or_too_late_is_told_again() -> None:
    account = told(event(1), event(3), event(3), event(2))
    assert (account.last, account.missed, account.again) == (3, 1, 2)


def test_a_percent_that_falls_is_counted() -> None:
    assert told(event(1, 5.0), event(2, 5.0), event(3, 4.9)).fell == 1


def test_it_is_complete_once_the_end_of_a_finished_job_was_said() -> None:
    account = told(event(1))
    account.end("end", whole=True)
    assert not account.complete
    account.take(event(2) | {"type": FINISHED})
    account.end("cut")
    assert not account.complete
    account.end("end", whole=True)
    assert (account.complete, account.ends) == (True, {"end": 2, "cut": 1})


def test_the_same_events_are_the_same_whether_or_not_nulls_are_told() -> None:
    one, other = told(event(1, product=None)), told(event(1))
    assert one.digest.digest() == other.digest.digest()
    assert one.digest.digest() != told(event(1, product="roll")).digest.digest()
