"""What lists allow, as sets of packets: the slow way, to which others are held."""

from __future__ import annotations

from collections.abc import Sequence

from ringfence.analysis.rules.lists import Line
from ringfence.analysis.rules.matched import Lines
from ringfence.analysis.rules.trial import listed_with, places_of
from ringfence.analysis.sets.packets import Packets
from ringfence.model.group import SecurityGroup
from ringfence.model.rule import Action, Direction
from ringfence.model.world import World


def allowed_by(lines: Sequence[Line]) -> Packets:
    """What a list allows: every packet is judged by the first line that matches it, and denied where none does."""
    found = Packets.NONE
    for line in reversed(lines):
        found = found | line.packets if line.action is Action.ALLOW else found - line.packets
    return found


def agree_as_sets(world: World, before: SecurityGroup, after: SecurityGroup) -> bool:
    """Whether a group decides alike in two versions, by itself and in every list in which it takes part."""
    for direction in Direction:
        for vpc, of in places_of(world, before):
            lists = [listed_with(world, vpc, of, it, direction) for it in (before, after)]
            lines = Lines(world, [each for listed in lists for each in listed], direction)
            one, two = (allowed_by([Line(lines.packets(it), it.action) for it in listed]) for listed in lists)
            if one != two:
                return False
    return True
