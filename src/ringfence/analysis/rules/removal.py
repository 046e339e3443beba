"""Rules of groups any of which may go, alone or together, and who decides in their place (SEMANTICS.md 8.3). Exact.

A rule that its own group would not miss may be missed where a port is in several groups: a deny is more than the
default as soon as another group allows. So the lists of all ports are asked, besides that of each group alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ringfence.analysis.rules.lists import Line
from ringfence.analysis.rules.redundancy import listed_lines, nics, with_packets
from ringfence.analysis.sets.packets import Packets
from ringfence.model.rule import Action, Direction
from ringfence.model.world import World
from ringfence.policy.decisions import Decision, PolicyClass, class_of
from ringfence.policy.evaluate import Policy

_Listed = Sequence[tuple[Decision, Line]]


@dataclass(frozen=True, slots=True)
class Removable:
    """A rule that may go, with any others that are given beside it, and no packet is judged otherwise.

    It is ``shadowed`` if stronger rules decide all that it matches; else weaker ones, or the default, decide alike.
    ``deciders`` are the lines of its group that decide in its place, strongest first.
    """

    rule_id: str
    shadowed: bool
    deciders: tuple[Decision, ...]


def removable_rules(world: World, groups: Collection[str]) -> Mapping[str, tuple[Removable, ...]]:
    """Such rules of some groups: any or all of them may go, whoever is in the groups that they name.

    Of rules that make each other needless, only some are given. Not given are rules that a service manages, and those
    that match nothing by themselves, as the list that they name is empty.
    """
    alone = {name: list(_alone(world, name)) for name in groups}
    lists = [listed for lists in alone.values() for listed in lists]
    own = {rule_id for name in groups for rule_id, rule in world.groups[name].by_id.items() if not rule.managed}
    matching = {decision.rule_id for listed in lists for decision, line in listed if line.packets}
    may_go = _settled(lists, own & matching)
    shared = list(_shared(world, {name for name in groups if may_go & world.groups[name].by_id.keys()}))
    may_go = _settled([*(listed for listed in lists if _named(listed, may_go)), *shared], may_go)
    return {name: tuple(it for listed in lists for it in _told(listed, may_go)) for name, lists in alone.items()}


def _alone(world: World, name: str) -> Iterator[_Listed]:
    """The lists of a group as it stands alone."""
    group = world.groups[name]
    return (listed_lines(world, group, direction, nic) for direction in Direction for nic in nics(world, group))


def _shared(world: World, groups: Collection[str]) -> Iterator[_Listed]:
    """The lists of ports that some groups guard together with others, or in a VPC with switches of its own."""
    policy = Policy(world)
    for of in sorted(_classes(world)):
        if not set(of.groups).isdisjoint(groups):
            for direction in Direction:
                yield with_packets(world, policy.decisions(of, direction), direction)


def _classes(world: World) -> set[PolicyClass]:
    ports = (it for it in (*world.ports, *(it.port for it in world.detached.values())) if it.groups)
    return {
        class_of(world.vpcs[port.vpc], port)
        for port in ports
        if len(port.groups) > 1 or world.vpcs[port.vpc].profile != world.profile_of(world.groups[port.groups[0]])
    }


def _settled(lists: Iterable[_Listed], may_go: set[str]) -> set[str]:
    """Those that may all go together in every list: where one has to stay somewhere, it is asked again without."""
    left = list(lists)
    while left:
        stay = {rule_id for listed in left for rule_id in _staying(listed, may_go)}
        may_go = may_go - stay
        left = [listed for listed in left if _named(listed, stay) and _named(listed, may_go)]
    return may_go


def _staying(listed: _Listed, may_go: set[str]) -> set[str]:
    gone = needless([line for _, line in listed], _places(listed, may_go))
    return _named(listed, may_go) - {listed[index][0].rule_id for index in gone}


def _named(listed: _Listed, rule_ids: set[str]) -> set[str]:
    return {decision.rule_id for decision, _ in listed} & rule_ids


def _places(listed: _Listed, rule_ids: set[str]) -> set[int]:
    return {index for index, (decision, _) in enumerate(listed) if decision.rule_id in rule_ids}


def needless(lines: Sequence[Line], candidates: Collection[int]) -> dict[int, bool]:
    """The places of lines any of which may go, each with whether lines before it decide all that it matches.

    Shadowed lines may all go. Of the others those may without which later lines decide alike, as long as what they
    shadow does not come to light.
    """
    decided = _decided(lines)
    shadowed = {index for index in candidates if not decided[index]}
    redundant = _redundant(lines, decided, candidates) - shadowed
    while wrong := _wrong(lines, shadowed | redundant):
        for index, packets in wrong.items():
            if index in shadowed:
                redundant -= {it for it in redundant if it < index and lines[it].packets & packets}
            redundant.discard(index)
    return dict.fromkeys(shadowed, True) | dict.fromkeys(redundant, False)


def _decided(lines: Sequence[Line]) -> list[Packets]:
    """The part of each line that no line before it matches."""
    found, covered = [], Packets.NONE
    for line in lines:
        found.append(line.packets - covered)
        covered |= line.packets
    return found


def _redundant(lines: Sequence[Line], decided: Sequence[Packets], candidates: Collection[int]) -> set[int]:
    """Those that may go one after the other, the weakest first, as lines behind them decide alike."""
    found, allowed = set(), Packets.NONE
    for index in range(len(lines) - 1, -1, -1):
        line, own = lines[index], decided[index]
        allow = line.action is Action.ALLOW
        if index in candidates and not (own - allowed if allow else own & allowed):
            found.add(index)
        else:
            allowed = allowed | line.packets if allow else allowed - line.packets
    return found


def _wrong(lines: Sequence[Line], gone: Collection[int]) -> dict[int, Packets]:
    """Where some lines are gone, what one that is not would judge otherwise than the lines that are kept."""
    own, covered = {}, Packets.NONE
    for index, line in enumerate(lines) if gone else ():
        if index in gone:
            own[index] = line.packets - covered
        else:
            covered |= line.packets
    found, allowed = {}, Packets.NONE
    for index in range(len(lines) - 1, -1, -1) if gone else ():
        line = lines[index]
        allow = line.action is Action.ALLOW
        if index not in gone:
            allowed = allowed | line.packets if allow else allowed - line.packets
        elif wrong := own[index] - allowed if allow else own[index] & allowed:
            found[index] = wrong
    return found


def _told(listed: _Listed, may_go: set[str]) -> Iterator[Removable]:
    gone = _places(listed, may_go)
    shadowed = needless([line for _, line in listed], gone) if gone else {}
    kept = [it for index, it in enumerate(listed) if index not in gone]
    for index in sorted(gone):
        decision, line = listed[index]
        yield Removable(decision.rule_id, shadowed[index], tuple(_deciders(line.packets, kept)))


def _deciders(packets: Packets, kept: _Listed) -> Iterator[Decision]:
    """The lines that decide about some packets, strongest first."""
    for decision, line in kept:
        if not packets:
            return
        if packets & line.packets:
            yield decision
            packets -= line.packets
