"""Lines of an ordered list, and what each of them decides. Exact, by sets."""

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


def decided(lines: Sequence[Line]) -> list[Packets]:
    """The part of each line that no line before it matches."""
    covered, found = Packets.NONE, []
    for line in lines:
        found.append(line.packets - covered)
        covered |= line.packets
    return found
