"""An answer about reachability in people's names: the ends of a question, and the ways between them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property, reduce
from itertools import product
from operator import or_, sub
from typing import NamedTuple

from ringfence.analysis.reach.answer import Answer, End, Grade, Kind, Passage
from ringfence.analysis.reach.ends import EndClass, EndSet
from ringfence.analysis.reach.names import INTERNET, LARGEST, OTHERS
from ringfence.analysis.reach.reach import Reach, Way
from ringfence.analysis.sets.diagram import NOTHING, Diagram
from ringfence.analysis.sets.notation import Services
from ringfence.analysis.sets.packets import every_service, listed_services
from ringfence.errors import InvalidInput, UnknownName
from ringfence.model.address import Address, Family
from ringfence.model.flow import Endpoint, Query
from ringfence.model.profile import Profile
from ringfence.model.service import Service, ServiceSet
from ringfence.model.topology import Port

Mine = Callable[[Port], bool]
"""Whether the asker may be told of a port."""


def answer(
    reach: Reach,
    source: str = "",
    destination: str = "",
    service: Service | None = None,
    *,
    mine: Mine | None = None,
    most: int | None = None,
) -> Answer:
    """Who reaches whom, from and to what people name (empty: everything), by one service if it is given.

    What is not ``mine`` is told as one end, and what has nothing of mine on either side is not told. Parts of the
    internet that fare alike are told as one, unless the answer is huge. Raises `UnknownName`, `NotationError`, and
    `InvalidInput` where an answer would name more than ``most`` ends.
    """
    sources, destinations = (reach.named(name) if name else None for name in (source, destination))
    telling = _Telling(reach, mine)
    ways = _widened(reach.ways(sources, destinations, service))
    parts = [part for way in ways for part in telling.parts(way) if telling.concerns(part)]
    if mine:
        parts = [*telling.rejoined(parts)]
    total = sum(len(part.sources) + len(part.destinations) for part in parts)
    if most is not None and total > most:
        raise InvalidInput(f"the answer would name {total:,} ends, more than {most:,}; ask for less: from, to, service")
    if sources is None and destinations is None:
        ends = _with_used(parts, filter(telling.may_name, reach.classes))
    else:
        ends = _with_used(parts, [*(sources or ()), *(destinations or ())])
    if total <= _MERGED:
        telling.merge(parts, [end for end in ends if end.is_outside])
    if mine:
        telling.call([(it, name) for it, name in ((sources, source), (destinations, destination)) if it])
    passages = sorted(map(telling.passage, parts), key=telling.order)
    return Answer(tuple(dict.fromkeys(map(telling.end, ends))), tuple(dict.fromkeys(passages)))


def _with_used(parts: Iterable[Way], ends: Iterable[EndClass]) -> list[EndClass]:
    """Some ends and those of some ways, in the order of their classes."""
    used = {end for part in parts for side in (part.sources, part.destinations) for end in side}
    return sorted(used.union(ends), key=lambda it: (it.family, it.index))


_MERGED = 2_000_000
"""Up to so many names, parts of the internet are compared; beyond it takes longer than all else."""
_JOINED = 3
"""So many parts of the internet that fare alike are named."""


def _widened(ways: Iterable[Way]) -> Iterator[Way]:
    """Ways put together that lead to the same ends by the same services."""
    found: dict[tuple[Services, int], list[Way]] = {}
    for way in ways:
        found.setdefault((way.services, way.destinations.which), []).append(way)
    for same in found.values():
        yield Way(_joint([it.sources for it in same]), same[0].destinations, same[0].services)


def _joint(sides: list[EndSet]) -> EndSet:
    return EndSet(sides[0].every, reduce(or_, (it.which for it in sides)))


class _Telling:
    """Tells classes and ways of one world."""

    def __init__(self, reach: Reach, mine: Mine | None) -> None:
        self._world, self._is_whole = reach.world, mine is None
        self._mine: Mine = mine or (lambda _: True)
        self._outside = {INTERNET} | {str(it) for it in reach.classes if it.is_outside}
        self._masks: dict[Family, list[int]] = {}
        self._sides: dict[tuple[Family, int], tuple[str, ...]] = {}
        self._diagrams: dict[tuple[Family, ServiceSet], Diagram] = {}
        self._together: dict[EndClass, _Part] = {}

    # ---- the internet

    def merge(self, parts: Iterable[Way], outside: Iterable[EndClass]) -> None:
        """Put classes outside together that reach the same by the same, and are reached so."""
        seen: dict[EndClass, dict[tuple[bool, Services], int]] = {each: {} for each in outside}
        for part in parts:
            for comes, side, far in ((True, part.sources, part.destinations), (False, part.destinations, part.sources)):
                key = comes, part.services
                for end in side if next(iter(side)).is_outside else ():
                    seen[end][key] = seen[end].get(key, 0) | far.which
        alike: dict[tuple[Family, frozenset[object]], list[EndClass]] = {}
        for end, found in seen.items():
            alike.setdefault((end.family, frozenset(found.items())), []).append(end)
        for ends in alike.values():
            whole = self._part(_joined(ends), ends)
            self._outside.add(whole.name)
            self._together |= dict.fromkeys(ends, whole)

    def call(self, asked: Iterable[tuple[tuple[EndClass, ...], str]]) -> None:
        """Call what was asked for as the asker did: how others cut the internet up is not the asker's to know."""
        for ends, name in asked:
            if name != INTERNET and ends and all(end.is_outside for end in ends):
                self._outside.add(name)
                self._together |= {end: self._part(name, [end]) for end in ends}

    def _part(self, name: str, ends: list[EndClass]) -> _Part:
        hosts = dict.fromkeys(host for end in ends for host in self._known(end))
        return _Part(name, tuple(hosts), sum(end.size for end in ends))

    # ---- ends

    def end(self, of: EndClass) -> End:
        """A class of ends."""
        if of.port is None:
            part = self._together.get(of) or self._part(of.label, [of])
            return End(part.name, str(of.family), Kind.INTERNET, members=part.hosts, size=part.size * self._is_whole)
        if not self._mine(of.port):
            return End(OTHERS, str(of.family), Kind.OTHERS)
        members = dict.fromkeys(self._called(port, address) for port, address in of.members)
        return End(of.label, str(of.family), Kind.INSIDE, of.port.vpc, of.port.groups, tuple(members), of.size)

    def may_name(self, of: EndClass) -> bool:
        """Whether an end is the asker's, or outside."""
        return of.port is None or self._mine(of.port)

    def _name(self, of: EndClass) -> str:
        if of.port is None:
            return self._together[of].name if of in self._together else of.label
        return of.label if self._mine(of.port) else OTHERS

    def _known(self, of: EndClass) -> tuple[str, ...]:
        """The hosts outside that are known by name and in a class."""
        known = self._world.outside.values()
        return tuple(it.name for it in known if any(address in each for address in it.addresses for each in of.ranges))

    def _called(self, port: Port, address: Address) -> str:
        """The shortest name by which a question finds an address, else the address."""
        vip = self._virtual.get((port.vpc, address), "")
        for name in (port.instance, str(port), vip):
            if name and self._finds(name, Endpoint(address, port.vpc)):
                return name
        return str(address)

    def _finds(self, name: str, wanted: Endpoint) -> bool:
        try:
            found = self._world.endpoint(name, wanted.address.family)
        except UnknownName:
            return False
        return (found.address, found.vpc) == (wanted.address, wanted.vpc)

    @cached_property
    def _virtual(self) -> dict[tuple[str, Address], str]:
        return {(it.vpc, address): it.name for it in self._world.virtual_ips.values() for address in it.addresses}

    # ---- ways

    def parts(self, way: Way) -> Iterator[Way]:
        """A way in parts whose sides are each outside, or inside under the same lists of ports."""
        for sources, destinations in product(self._alike(way.sources), self._alike(way.destinations)):
            yield Way(sources, destinations, way.services)

    def rejoined(self, parts: Iterable[Way]) -> Iterator[Way]:
        """Parts put together that are apart only by what becomes of others' ends, of which nothing is told."""
        alike: dict[object, list[Way]] = {}
        for part in parts:
            alike.setdefault((part.services, part.destinations.which, self._mask(part.sources)), []).append(part)
        wide = [Way(_joint([it.sources for it in same]), same[0].destinations, same[0].services)
                for same in alike.values()]  # fmt: skip
        alike = {}
        for part in wide:
            alike.setdefault((part.services, part.sources.which, self._mask(part.destinations)), []).append(part)
        for same in alike.values():
            yield Way(same[0].sources, _joint([it.destinations for it in same]), same[0].services)

    def _mask(self, side: EndSet) -> int:
        """The ends that a side of a part may be together with."""
        return next(mask for mask in self._masks[side.every[0].family] if side.which & mask)

    def _alike(self, ends: EndSet) -> Iterable[EndSet]:
        family = ends.every[0].family
        if family not in self._masks:
            self._masks[family] = self._masked(ends.every)
        return (EndSet(ends.every, ends.which & mask) for mask in self._masks[family] if ends.which & mask)

    def _masked(self, every: Iterable[EndClass]) -> list[int]:
        by_vpc: dict[tuple[str, bool], int] = {}
        for end in every:
            place = end.port.vpc if end.port else "", self.may_name(end)
            by_vpc[place] = by_vpc.get(place, 0) | 1 << end.index
        found: dict[object, int] = {}
        for (vpc, mine), mask in by_vpc.items():
            profile = self._world.vpcs[vpc].profile if vpc else None
            listed = profile and (profile.risky_ports, profile.blocked_egress, profile.carrier_blocks)
            found[listed, mine] = found.get((listed, mine), 0) | mask
        return [*found.values()]

    def _names(self, side: EndSet) -> tuple[str, ...]:
        """The names of a side, as often as it comes the same ones."""
        key = side.every[0].family, side.which
        if key not in self._sides:
            self._sides[key] = tuple(dict.fromkeys(map(self._name, side)))
        return self._sides[key]

    def _profile(self, end: EndClass) -> Profile | None:
        return self._world.vpcs[end.port.vpc].profile if end.port else None

    def concerns(self, part: Way) -> bool:
        """Whether anything of the asker's is on either side of a part."""
        firsts = (next(iter(side)).port for side in (part.sources, part.destinations))
        return any(port and self._mine(port) for port in firsts)

    def passage(self, part: Way) -> Passage:
        """A part of a way."""
        sides = [self._names(side) for side in (part.sources, part.destinations)]
        one, two = (self._profile(next(iter(side))) for side in (part.sources, part.destinations))
        diagram, family = part.services.diagram, part.services.family
        risky = Services(family, diagram & self._listed(family, two.risky_ports) if two else NOTHING)
        grade = Grade.ALL if self._all(family, one, two) <= diagram else Grade.RISKY if risky else Grade.SOME
        return Passage(sides[0], sides[1], str(family), part.services.lines, grade, risky.lines, self._example(part))

    def order(self, passage: Passage) -> tuple[object, ...]:
        """What comes from the internet first, then what goes there last; the riskier before the less risky."""
        comes, goes = (side[0] in self._outside for side in (passage.sources, passage.destinations))
        return not comes, goes, -passage.grade.rank, passage.destinations, passage.sources, passage.family

    def _all(self, family: Family, source: Profile | None, destination: Profile | None) -> Diagram:
        """All that platform and carriers let pass from an end of one profile to one of another; None is outside."""
        blocked = [source.blocked_egress] if source else []
        if not (source and destination):
            blocked += [it.carrier_blocks for it in (source, destination) if it]
        return reduce(sub, (self._listed(family, listed) for listed in blocked), every_service(family))

    def _listed(self, family: Family, listed: ServiceSet) -> Diagram:
        if (family, listed) not in self._diagrams:
            self._diagrams[family, listed] = listed_services(family, listed)
        return self._diagrams[family, listed]

    def _example(self, way: Way) -> str:
        """A flow of a way, as it may be asked about."""
        sample = way.services.sample
        ends = next(self._apart(way), None)
        if not sample or not ends:
            return ""
        service, source_port = sample
        if Service(service.protocol, service.port) in way.services:
            source_port = None
        return str(Query.of(*ends, service, way.services.family, source_port))

    def _apart(self, way: Way) -> Iterator[tuple[str, str]]:
        """The names of one of each side, not in one guest."""
        sides = (
            (way.sources, way.destinations) if self._is_whole else map(_largest_first, (way.sources, way.destinations))
        )
        sources, destinations = sides
        for one, two in ((one, two) for one in sources for two in destinations):  # no more than are looked at
            if all(it.port is None or self._mine(it.port) for it in (one, two)):
                yield from self._named_apart(one, two)

    def _named_apart(self, one: EndClass, two: EndClass) -> Iterator[tuple[str, str]]:
        for first, second in product(one.members or (None,), two.members or (None,)):
            if not (first and second and first[0].guest == second[0].guest):
                yield self._example_end(one, first), self._example_end(two, second)

    def _example_end(self, of: EndClass, member: tuple[Port, Address] | None) -> str:
        if member:
            return self._called(*member)
        hosts = (name for name in self._known(of) if self._is_at(name, of))
        return next(hosts, str(of.example.address))

    def _is_at(self, name: str, of: EndClass) -> bool:
        """Whether a question about a host outside is about a class: its first address of the family is in it."""
        found = self._world.outside[name].address(of.family)
        return found is not None and any(found in each for each in of.ranges)


def _largest_first(side: Iterable[EndClass]) -> list[EndClass]:
    """Ends so that of the internet what nobody names comes first: an example is not to show what others name."""
    return sorted(side, key=lambda it: -it.size if it.is_outside else 0)


class _Part(NamedTuple):
    """Classes outside that are told as one: what they are called, the hosts in them, and how many addresses."""

    name: str
    hosts: tuple[str, ...]
    size: int


def _joined(ends: list[EndClass]) -> str:
    labels = [it.label for it in ends]
    if LARGEST in labels:
        return LARGEST
    more = [f"{len(labels) - _JOINED} more parts of the internet"] * (len(labels) > _JOINED)
    return ", ".join([*labels[:_JOINED], *more])
