"""What each line of an ordered list does: what it decides, and what would change without it. Exact, by sets.

So a line that several stronger ones cover together is found, and so is one that a later line with the same action makes
needless (SEMANTICS.md 8.3).
"""

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


@dataclass(frozen=True, slots=True)
class Effect:
    """What a line does. Without it, `changed` would be judged otherwise: if that is empty, the line is redundant.

    It is shadowed if it decides nothing at all, because lines before it match all that it does.
    """

    decided: Packets
    changed: Packets

    @property
    def is_shadowed(self) -> bool:
        """Whether it decides nothing."""
        return not self.decided

    @property
    def is_redundant(self) -> bool:
        """Whether the list means the same without it."""
        return not self.changed


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a list allows, and the effect of each line, in the order of the lines."""

    allowed: Packets
    effects: tuple[Effect, ...]


def outcome(lines: Sequence[Line], default: Action = Action.DENY) -> Outcome:
    """Judge every packet by the first line that matches it, and by ``default`` where none does."""
    parts = decided(lines)
    allowed = Packets.ALL if default is Action.ALLOW else Packets.NONE
    effects: list[Effect] = []
    for line, own in zip(reversed(lines), reversed(parts), strict=True):  # `allowed` is what the lines after it allow
        if line.action is Action.ALLOW:
            effects.append(Effect(own, own - allowed))
            allowed |= line.packets
        else:
            effects.append(Effect(own, own & allowed))
            allowed -= line.packets
    return Outcome(allowed, tuple(reversed(effects)))


def decided(lines: Sequence[Line]) -> list[Packets]:
    """The part of each line that no line before it matches."""
    covered, found = Packets.NONE, []
    for line in lines:
        found.append(line.packets - covered)
        covered |= line.packets
    return found
