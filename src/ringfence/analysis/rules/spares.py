"""The lines of one list any of which may go, whichever of them do, and who decides then (SEMANTICS.md 8.3). Exact.

Lines may go in that sense if for every packet all of them that match it before the first line that stays say the same
as that one. So a line may join those that may go already if each line behind it says the same about the packets that
it decides, as far as the first that stays, whether that line may go or not. What lines before it match is as before;
therefore lines are tried one by one, the weakest first, and none that was left out could be added in the end.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from functools import cached_property

from ringfence.analysis.rules.lists import OPPOSITE, Line, decided
from ringfence.analysis.sets.packets import Packets
from ringfence.model.rule import Action


class Spares(ABC):
    """What may go of one list, whose lines are told by their places in it."""

    @abstractmethod
    def matches(self, place: int) -> bool:
        """Whether a line matches anything."""

    @abstractmethod
    def is_shadowed(self, place: int) -> bool:
        """Whether lines before it match all that it does. Such lines may all go."""

    @abstractmethod
    def among(self, candidates: Collection[int]) -> set[int]:
        """Those of some lines that may go: all that are shadowed, and others as long as there are any."""

    @abstractmethod
    def is_needless(self, place: int, without: int) -> bool:
        """Whether a list says the same without a line, when others (as bits) are left out of it for good."""

    @abstractmethod
    def deciders(self, place: int, gone: Collection[int]) -> list[int]:
        """The lines, in their order, that decide about what a line matches when that and others are gone."""


class SpareSets(Spares):
    """The same by sets of packets, whatever lines say. What no line matches is denied."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self._lines = lines

    @cached_property
    def _decided(self) -> list[Packets]:
        return decided(self._lines)

    def matches(self, place: int) -> bool:
        """See `Spares`."""
        return bool(self._lines[place].packets)

    def is_shadowed(self, place: int) -> bool:
        """See `Spares`."""
        return not self._decided[place]

    def among(self, candidates: Collection[int]) -> set[int]:
        """See `Spares`; ``alike`` are the packets about which all lines up to the first that stays say one action."""
        gone = {place for place in candidates if self.is_shadowed(place)}
        alike = {Action.ALLOW: Packets.NONE, Action.DENY: Packets.ALL}
        for place in range(len(self._lines) - 1, min(candidates, default=len(self._lines)) - 1, -1):
            line = self._lines[place]
            if place in candidates and self._decided[place] <= alike[line.action]:
                gone.add(place)
            alike[OPPOSITE[line.action]] -= line.packets
            if place not in gone:
                alike[line.action] |= line.packets
        return gone

    def is_needless(self, place: int, without: int) -> bool:
        """See `Spares`."""
        mine, action = self._lines[place].packets, self._lines[place].action
        for index, line in enumerate(self._lines):
            if not mine:
                return True
            if index != place and not without >> index & 1 and (hit := mine & line.packets):
                if index > place and line.action is not action:
                    return False
                mine -= hit
        return not mine or action is Action.DENY

    def deciders(self, place: int, gone: Collection[int]) -> list[int]:
        """See `Spares`."""
        found, packets = [], self._lines[place].packets
        for index, line in enumerate(self._lines):
            if not packets:
                break
            if index not in gone and packets & line.packets:
                found.append(index)
                packets -= line.packets
        return found
