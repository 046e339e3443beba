"""The lines of one list any of which may go, whichever of them do (SEMANTICS.md 8.3). Exact, by sets."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cached_property

from ringfence.analysis.rules.lists import Line, decided
from ringfence.analysis.sets.packets import Packets
from ringfence.model.rule import Action

_AGAIN = 16
"""So many lines that must stay with others are tried again by themselves."""


class Spares:
    """Finds them; remembers about the list what does not depend on which lines are asked about."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self._lines = lines

    def among(self, candidates: Collection[int]) -> dict[int, bool]:
        """The places of those among some lines, each with whether the lines before it decide all that it matches.

        Such shadowed lines may all go. Of the others those may without which later lines decide alike, as long as what
        they shadow does not come to light.
        """
        shadowed = {index for index in candidates if not self._decided[index]}
        redundant = self._redundant(candidates) - shadowed
        tried = sorted(redundant, reverse=True)
        while wrong := self._wrong(shadowed | redundant):
            for index, packets in wrong.items():
                if index in shadowed:
                    redundant -= {it for it in redundant if it < index and self._lines[it].packets & packets}
                redundant.discard(index)
        for index in [it for it in tried if it not in redundant][:_AGAIN]:
            if not self._wrong(shadowed | redundant | {index}):
                redundant.add(index)
        return dict.fromkeys(shadowed, True) | dict.fromkeys(redundant, False)

    @cached_property
    def _decided(self) -> list[Packets]:
        return decided(self._lines)

    def _redundant(self, candidates: Collection[int]) -> set[int]:
        """Those that may go one after the other, the weakest first, as lines behind them decide alike."""
        found, allowed = set(), Packets.NONE
        for index in range(len(self._lines) - 1, min(candidates, default=len(self._lines)) - 1, -1):
            line, own = self._lines[index], self._decided[index]
            if index in candidates and not _otherwise(own, line.action, allowed):
                found.add(index)
            else:
                allowed = _with(allowed, line)
        return found

    def _wrong(self, gone: Collection[int]) -> dict[int, Packets]:
        """What those of some lines that are not gone yet would judge otherwise than the lines that are kept."""
        if not gone:
            return {}
        own, covered = {}, Packets.NONE
        for index, line in enumerate(self._lines[: max(gone) + 1]):
            if index in gone:
                own[index] = line.packets - covered
            else:
                covered |= line.packets
        found, allowed = {}, Packets.NONE
        for index in range(len(self._lines) - 1, min(gone) - 1, -1):
            line = self._lines[index]
            if index not in gone:
                allowed = _with(allowed, line)
            elif wrong := _otherwise(own[index], line.action, allowed):
                found[index] = wrong
        return found


def _with(allowed: Packets, line: Line) -> Packets:
    """What is allowed with a line before those that allow so much."""
    return allowed | line.packets if line.action is Action.ALLOW else allowed - line.packets


def _otherwise(packets: Packets, action: Action, allowed: Packets) -> Packets:
    """Those packets that an action is the other one for than what is allowed says."""
    return packets - allowed if action is Action.ALLOW else packets & allowed
