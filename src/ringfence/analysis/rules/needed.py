"""Which lines of a decision list decide anything, and which would be missed: exact, and without making sets of packets.

Services that no line tells apart are one cell, so a set of services is the bits of a number; addresses that lie in the
same lines are one row. Whether a line would be missed in a row is then found by walking on from it: those of its
services that are left meet the next line, and if that decides otherwise, it would.

Who is in which group is free, so to show that a line would be missed the far end may be in none, or in the one group
that helps most: each group more could only bring a line that comes earlier. So beside the lines that match for sure,
those *lead* that are the first of their group.

It says what `ringfence.analysis.rules.lists` says of the same list, some hundred times as fast where many prefixes and
port ranges overlap; a law of the tests holds them together.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from ringfence.model.address import AddressRange, Family, Prefix
from ringfence.model.rule import Action, AnyRemote, GroupRemote, Remote
from ringfence.model.service import ICMP, ICMPV6, TCP, UDP, PortRange
from ringfence.policy.decisions import Decision

Ranges = Callable[[Remote], Sequence[AddressRange] | None]
"""The addresses that a side means, or None for any; never asked of a group."""
_ELSEWHERE = {Family.IPV4: ICMPV6, Family.IPV6: ICMP}
_LAST_PORT = 65535
_Kind = tuple[str, int]
"""A group, and how the far end is in it: by a port of another VPC (1), or of the same (2)."""
_Leads = tuple[list[int], list[int]]
"""The numbers of lines, in their order, and the services for which they are the first of their group."""


@dataclass(slots=True)
class Need:
    """Of a line: whether it decides any packet, and whether any would be judged otherwise without it."""

    decides: bool = False
    missed: bool = False


def is_plain(decision: Decision) -> bool:
    """Whether a line says no more than `needs` can look at: no source ports, and of its own side the family at most."""
    local = decision.local
    return not decision.source_ports and (local is AnyRemote.ANY or (isinstance(local, Prefix) and not local.length))


def needs(listed: Sequence[Decision], ranges: Ranges) -> list[Need]:
    """What becomes of each line of a list whose last matches everything; all of them are plain."""
    found = [Need() for _ in listed]
    for family in Family:
        _Walk(listed, family, ranges, found).all()
    return found


@dataclass(slots=True)
class _Walk:
    """One family of a list."""

    listed: Sequence[Decision]
    family: Family
    ranges: Ranges
    found: list[Need]
    services: list[int] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)

    def all(self) -> None:
        """Note what is found."""
        self.services = _cells(self.listed, self.family)
        self.actions = [decision.action for decision in self.listed]
        kinds = self._kinds()
        leads = {kind: self._leading(own) for kind, own in kinds.items()}
        everybody = {action: _merged(leads.values(), self.actions, action) for action in Action}
        rows = self._rows()
        for row in rows:
            covered = 0
            for place, line in enumerate(row):
                left = self.services[line] & ~covered
                covered |= self.services[line]
                self._note(line, left, row[place + 1 :], everybody)
        for kind, own in kinds.items():
            self._group(own, set(leads[kind][0]), rows, everybody)

    def _group(
        self, own: list[int], leading: set[int], rows: list[tuple[int, ...]], leads: dict[Action, _Leads]
    ) -> None:
        """The lines of one kind of membership, in every row. No other line of it leads where one of them decides."""
        for row in rows:
            if all(self.found[line].missed for line in leading):
                return
            both = sorted([*row, *own])
            covered = 0
            for place, line in enumerate(both):
                if line in leading:
                    self._note(line, self.services[line] & ~covered, both[place + 1 :], leads)
                covered |= self.services[line]

    def _note(self, line: int, left: int, behind: Sequence[int], leads: dict[Action, _Leads]) -> None:
        need = self.found[line]
        if left:
            need.decides = True
            need.missed = need.missed or self._misses(line, left, behind, leads)

    def _misses(self, line: int, left: int, behind: Sequence[int], leads: dict[Action, _Leads]) -> bool:
        """Whether some of the services that are left would meet another action without a line."""
        action = self.actions[line]
        numbers, first = leads[Action.DENY if action is Action.ALLOW else Action.ALLOW]
        at = bisect_right(numbers, line)
        for number in behind:
            while at < len(numbers) and numbers[at] < number:
                if left & first[at]:
                    return True
                at += 1
            hit = left & self.services[number]
            if hit:
                if self.actions[number] is not action:
                    return True
                left ^= hit
                if not left:
                    return False
        return False

    def _kinds(self) -> dict[_Kind, list[int]]:
        """The lines that match by each kind of membership alone."""
        levels: dict[str, set[int]] = defaultdict(set)
        named = [
            (number, it.remote.name, 2 if it.own_vpc else 1)
            for number, it in enumerate(self.listed)
            if isinstance(it.remote, GroupRemote)
        ]
        for _, name, level in named:
            levels[name].add(level)
        return {
            (name, level): [number for number, other, least in named if other == name and least <= level]
            for name, known in levels.items()
            for level in known
        }

    def _leading(self, own: Iterable[int]) -> _Leads:
        covered, numbers, first = 0, [], []
        for number in own:
            if left := self.services[number] & ~covered:
                numbers.append(number)
                first.append(left)
            covered |= self.services[number]
        return numbers, first

    def _rows(self) -> list[tuple[int, ...]]:
        """The lines that match an address, for each address that some line tells apart; each such set once."""
        begins: dict[int, list[int]] = defaultdict(list)
        ends: dict[int, list[int]] = defaultdict(list)
        for number, decision in enumerate(self.listed):
            if not isinstance(decision.remote, GroupRemote) and self.services[number]:
                for first, last in self._intervals(decision.remote):
                    begins[first].append(number)
                    ends[last + 1].append(number)
        active: dict[int, int] = defaultdict(int)
        rows = dict[tuple[int, ...], None]()
        for edge in sorted({*begins, *ends}):
            for number in begins.get(edge, ()):
                active[number] += 1
            for number in ends.get(edge, ()):
                active[number] -= 1
                if not active[number]:
                    del active[number]
            if active:
                rows[tuple(sorted(active))] = None
        return list(rows)

    def _intervals(self, remote: Remote) -> Iterator[tuple[int, int]]:
        ranges = self.ranges(remote)
        if ranges is None:
            yield 0, self.family.top
        else:
            yield from ((each.first, each.last) for each in ranges if each.family is self.family)


def _merged(leads: Iterable[_Leads], actions: Sequence[Action], action: Action) -> _Leads:
    """Those of one action, in the order of the lines."""
    pairs = sorted(pair for each in leads for pair in zip(*each, strict=True) if actions[pair[0]] is action)
    return [number for number, _ in pairs], [first for _, first in pairs]


def _cells(listed: Sequence[Decision], family: Family) -> list[int]:
    """The services of each line as bits; nothing where it is of the other family."""
    cuts: dict[int, list[int]] = {}
    for number in (TCP, UDP):
        own = [each for it in listed if it.protocol.number == number for each in it.ports.ranges]
        cuts[number] = sorted({1, *(edge for it in own for edge in (it.first, it.last + 1) if edge <= _LAST_PORT)})
    named = {it.protocol.number for it in listed} - {None, TCP, UDP}
    bare = sorted({number for number in named if number is not None} - {_ELSEWHERE[family]})
    tcp, udp = len(cuts[TCP]), len(cuts[UDP])
    start = {TCP: 0, UDP: tcp, **{number: tcp + udp + index for index, number in enumerate(bare)}}
    everything = (1 << (tcp + udp + len(bare) + 1)) - 1  # the last bit is of all that is not named

    def of(decision: Decision) -> int:
        number = decision.protocol.number
        if isinstance(decision.local, Prefix) and decision.local.family is not family:
            return 0
        if number is None:
            return everything
        if number not in start:
            return 0
        if number not in cuts:
            return 1 << start[number]
        bits = 0
        for each in decision.ports.ranges or (PortRange(1, _LAST_PORT),):
            low, high = bisect_left(cuts[number], each.first), bisect_left(cuts[number], each.last + 1)
            bits |= ((1 << (high - low)) - 1) << low
        return bits << start[number]

    return [of(decision) for decision in listed]
