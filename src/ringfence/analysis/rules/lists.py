"""What an ordered list allows, and what each line of it decides. Exact, by sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ringfence.analysis.sets.packets import Packets
from ringfence.model.rule import Action

OPPOSITE = {Action.ALLOW: Action.DENY, Action.DENY: Action.ALLOW}
"""The other action."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a list: the packets that it matches, and what becomes of those that no line before it matched."""

    packets: Packets
    action: Action


def allowed_by(lines: Sequence[Line]) -> Packets:
    """What a list allows: every packet is judged by the first line that matches it, and denied where none does."""
    found = Packets.NONE
    for line in reversed(lines):
        found = found | line.packets if line.action is Action.ALLOW else found - line.packets
    return found


def decided(lines: Sequence[Line]) -> list[Packets]:
    """The part of each line that no line before it matches."""
    covered, found = Packets.NONE, []
    for line in lines:
        found.append(line.packets - covered)
        covered |= line.packets
    return found
