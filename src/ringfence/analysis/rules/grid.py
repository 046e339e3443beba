"""What the lines of a decision list match, in one family: services as the bits of a number, addresses as rows.

Services that no line tells apart are one cell, so a set of services is the bits of a number; addresses that lie in the
same lines are one row. Who is in which group is free: a kind of membership is lines that match beside those of any row.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ringfence.model.address import AddressRange, Family, Prefix
from ringfence.model.rule import Action, AnyRemote, GroupRemote, Remote
from ringfence.model.service import ICMP, ICMPV6, TCP, UDP, PortRange
from ringfence.policy.decisions import Decision

Ranges = Callable[[Remote], Sequence[AddressRange] | None]
"""The addresses that a side means, or None for any; never asked of a group."""
Kind = tuple[str, int]
"""A group, and how the far end is in it: by a port of another VPC (1), or of the same (2)."""
_ELSEWHERE = {Family.IPV4: ICMPV6, Family.IPV6: ICMP}
_LAST_PORT = 65535


def is_plain(decision: Decision) -> bool:
    """Whether a grid can say all of a line: no source ports, and of its own side the family at most."""
    local = decision.local
    return not decision.source_ports and (local is AnyRemote.ANY or (isinstance(local, Prefix) and not local.length))


@dataclass(frozen=True, slots=True)
class Grid:
    """The lines of a list by their numbers, in one family; all of them are plain, and the last matches everything.

    ``services`` are those of each line, ``rows`` the sets of lines that match an address, each once, in ascending
    order, and ``kinds`` the lines that match by each kind of membership alone.
    """

    services: list[int]
    actions: list[Action]
    rows: list[tuple[int, ...]]
    kinds: Mapping[Kind, list[int]]

    @classmethod
    def of(cls, listed: Sequence[Decision], family: Family, ranges: Ranges) -> Grid:
        """The grid of one family."""
        services = _cells(listed, family)
        rows = _rows(listed, family, services, ranges)
        return cls(services, [decision.action for decision in listed], rows, _kinds(listed))


def grids(listed: Sequence[Decision], ranges: Ranges) -> tuple[Grid, ...]:
    """The grids of both families."""
    return tuple(Grid.of(listed, family, ranges) for family in Family)


def _kinds(listed: Sequence[Decision]) -> dict[Kind, list[int]]:
    levels: dict[str, set[int]] = defaultdict(set)
    named = [
        (number, it.remote.name, 2 if it.own_vpc else 1)
        for number, it in enumerate(listed)
        if isinstance(it.remote, GroupRemote)
    ]
    for _, name, level in named:
        levels[name].add(level)
    return {
        (name, level): [number for number, other, least in named if other == name and least <= level]
        for name, known in levels.items()
        for level in known
    }


def _rows(listed: Sequence[Decision], family: Family, services: Sequence[int], ranges: Ranges) -> list[tuple[int, ...]]:
    begins: dict[int, list[int]] = defaultdict(list)
    ends: dict[int, list[int]] = defaultdict(list)
    for number, decision in enumerate(listed):
        if not isinstance(decision.remote, GroupRemote) and services[number]:
            for first, last in _intervals(decision.remote, family, ranges):
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


def _intervals(remote: Remote, family: Family, ranges: Ranges) -> Iterator[tuple[int, int]]:
    found = ranges(remote)
    if found is None:
        yield 0, family.top
    else:
        yield from ((each.first, each.last) for each in found if each.family is family)


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
