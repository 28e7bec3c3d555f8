"""The parts that versions play: nothing that answered is ever lost from view."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.training.models.aliases import (
    Alias,
    Aliases,
    NothingToRollBack,
    promote,
    publish,
    roll_back,
)

IDS = [UUID(int=number) for number in range(5)]
ONE, TWO, THREE, FOUR, FIVE = IDS
STANDINGS = st.dictionaries(st.sampled_from(Alias), st.sampled_from(IDS[:4])).filter(
    lambda standing: len(set(standing.values())) == len(standing)
)


def test_the_first_version_answers_and_there_is_no_way_back() -> None:
    after = publish({}, ONE, champion_is_intact=False)

    assert after == {Alias.CHAMPION: ONE}
    with pytest.raises(NothingToRollBack):
        roll_back(after)


def test_a_newer_version_answers_and_the_champion_before_it_becomes_previous() -> None:
    after = publish({Alias.CHAMPION: ONE, Alias.CHALLENGER: FOUR}, TWO, champion_is_intact=True)

    assert after == {Alias.CHAMPION: TWO, Alias.PREVIOUS: ONE, Alias.CHALLENGER: FOUR}


def test_a_damaged_champion_is_no_way_back() -> None:
    standing = {Alias.CHAMPION: TWO, Alias.PREVIOUS: ONE}

    after = publish(standing, THREE, champion_is_intact=False)

    assert after == {Alias.CHAMPION: THREE, Alias.PREVIOUS: ONE}


def test_a_challenger_that_is_promoted_is_no_challenger_any_more() -> None:
    standing = {Alias.CHAMPION: ONE, Alias.CHALLENGER: TWO, Alias.PREVIOUS: THREE}

    assert promote(standing, TWO) == {Alias.CHAMPION: TWO, Alias.PREVIOUS: ONE}


def test_rolling_back_twice_is_where_one_began() -> None:
    standing = {Alias.CHAMPION: TWO, Alias.PREVIOUS: ONE}

    once = roll_back(standing)

    assert once == {Alias.CHAMPION: ONE, Alias.PREVIOUS: TWO}
    assert roll_back(once) == standing


def test_rolling_back_sets_a_paper_verdict_aside_before_it_changes_the_champion() -> None:
    standing = {Alias.CHAMPION: TWO, Alias.PREVIOUS: ONE, Alias.PAPER: THREE}

    assert roll_back(standing) == {Alias.CHAMPION: TWO, Alias.PREVIOUS: ONE}


def test_a_paper_alone_cannot_be_rolled_back() -> None:
    with pytest.raises(NothingToRollBack):
        roll_back({Alias.PAPER: ONE})


@given(STANDINGS, st.sampled_from(IDS))
def test_what_was_promoted_answers_and_the_champion_before_stays_in_view(
    before: Aliases, chosen: UUID
) -> None:
    after = promote(before, chosen)

    assert after[Alias.CHAMPION] == chosen
    assert Alias.PAPER not in after
    assert before.get(Alias.CHAMPION, chosen) in after.values()
    assert promote(after, chosen) == after


@given(STANDINGS, st.booleans())
def test_a_published_version_answers_and_takes_no_challenger_away(
    before: Aliases, intact: bool
) -> None:
    after = publish(before, FIVE, champion_is_intact=intact)

    assert after[Alias.CHAMPION] == FIVE
    assert Alias.PAPER not in after
    assert after.get(Alias.CHALLENGER) == before.get(Alias.CHALLENGER)
    back = before.get(Alias.CHAMPION) if intact else None
    assert after.get(Alias.PREVIOUS) == (back or before.get(Alias.PREVIOUS))
