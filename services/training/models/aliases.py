"""Which version plays which part for its series, and how the parts change hands.

champion    the version that answers
previous    the champion before it, which answers when the champion cannot
challenger  the latest import, waiting to be promoted
paper       the latest training, where it beat no baseline: while it stands, the baseline answers
"""

from collections.abc import Mapping
from enum import StrEnum
from uuid import UUID


class Alias(StrEnum):
    CHAMPION = "champion"
    PREVIOUS = "previous"
    CHALLENGER = "challenger"
    PAPER = "paper"


Aliases = Mapping[Alias, UUID]


class NothingToRollBack(Exception):
    """No version stands behind the one that answers."""


def publish(aliases: Aliases, new: UUID, *, champion_is_intact: bool) -> Aliases:
    """A newly trained version answers from now on. A damaged champion is no way back, so then
    `previous` stays what it was."""
    kept = _without(aliases, Alias.PAPER)
    champion = aliases.get(Alias.CHAMPION)
    if champion is not None and champion_is_intact:
        kept = {**kept, Alias.PREVIOUS: champion}
    return {**kept, Alias.CHAMPION: new}


def promote(aliases: Aliases, chosen: UUID) -> Aliases:
    """`chosen` answers; what answered before becomes `previous`, so that nothing is lost."""
    champion = aliases.get(Alias.CHAMPION)
    if champion == chosen:
        return _without(aliases, Alias.PAPER)
    kept: dict[Alias, UUID] = {
        alias: model
        for alias, model in aliases.items()
        if alias is not Alias.PAPER and model != chosen
    }
    if champion is not None:
        kept[Alias.PREVIOUS] = champion
    return {**kept, Alias.CHAMPION: chosen}


def roll_back(aliases: Aliases) -> Aliases:
    """Undo the last change: a paper verdict is set aside, else champion and previous change
    places. Raises `NothingToRollBack`."""
    champion = aliases.get(Alias.CHAMPION)
    if Alias.PAPER in aliases and champion is not None:
        return _without(aliases, Alias.PAPER)
    previous = aliases.get(Alias.PREVIOUS)
    if previous is None:
        raise NothingToRollBack
    return promote(aliases, previous)


def _without(aliases: Aliases, gone: Alias) -> dict[Alias, UUID]:
    return {alias: model for alias, model in aliases.items() if alias is not gone}
