"""The classes of ends that neither of two worlds tells apart: those of the one before, cut as the one after needs.

A class keeps its index; what is cut off it, and what is only in the world after, gets an index behind the others. So
what is known of the classes of the world before is carried over by giving each part the bit of its whole.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cached_property

from ringfence.analysis.difference.fates import Fate, Fates, Member
from ringfence.analysis.difference.news import News
from ringfence.analysis.difference.places import Places
from ringfence.analysis.reach.ends import Bucket, EndClass, inside_class, out_there, outside_class
from ringfence.analysis.reach.names import LARGEST
from ringfence.analysis.reach.roster import Guest, Lists, OneWorld, groups_meaning
from ringfence.analysis.sets.diagram import Interval, joined
from ringfence.analysis.sets.segments import Ranges
from ringfence.analysis.sets.sieve import Sieve, bits
from ringfence.model.address import Address, AddressRange
from ringfence.model.flow import Endpoint
from ringfence.model.topology import Port
from ringfence.model.world import World

_Taken = tuple[set[str], set[str]]
"""The names of classes in both worlds, so that no two are called alike."""


class Joint:
    """The classes of one family in both worlds."""

    def __init__(self, base: OneWorld, places: Places, news: News) -> None:
        self._base, self._places, self._news = base, places, news
        self.family = base.family
        self._count = len(base.classes)
        self._fates = Fates(base, places, news)
        self._inside, self._outside = self._fates.inside, self._fates.outside
        self._views: tuple[dict[int, EndClass | None], dict[int, EndClass | None]] = {}, {}
        self._parts: dict[int, int] = defaultdict(int)
        self._index_of = dict(self._fates.whole)
        self._telling: dict[int, int] = {}
        self.changed = 0
        """The classes that are in one world only, or about which something else decides now."""
        self._settle()

    # ---- the classes that come of it

    def _settle(self) -> None:
        sizes: dict[int, int] = defaultdict(int)
        for fates in (self._inside, self._outside):
            for fate, members in fates.items():
                if fate.whole is not None:
                    sizes[fate.whole] += sum(map(_size, members))
        left = {index for index, size in sizes.items() if size < self._whole_size(index)}
        settled = set(left)
        others = {each.label for each in self._base.classes if each.index not in sizes} if self._inside else set()
        taken = others, set(others)
        for fate in (*self._inside, *self._outside):
            index = self._index(fate, settled)
            if fate in self._inside:
                self._settle_inside(index, fate, taken)
            else:
                self._settle_outside(index, fate)
        for index in left:
            self._settle_rest(index, taken)

    def _whole_size(self, index: int) -> int:
        whole = self._base.classes[index]
        return whole.size if whole.is_outside else len(self._places.of_class[index])

    def _index(self, fate: Fate, settled: set[int]) -> int:
        """The index of its whole, if nothing else has it; else a new one."""
        if fate.whole is not None and fate.whole not in settled:
            settled.add(fate.whole)
            index = fate.whole
        else:
            index, self._count = self._count, self._count + 1
            if fate.whole is not None:
                self._parts[fate.whole] |= 1 << index
        self._index_of[fate] = index
        self.changed |= fate.changed << index
        return index

    def _settle_inside(self, index: int, fate: Fate, taken: _Taken) -> None:
        members = self._inside[fate]
        for which, names in enumerate(taken):
            having = ((it.vpc, it.address, it.ports[which]) for it in members)
            found = [(vpc, address, port) for vpc, address, port in having if port]
            self._views[which][index] = _inside_class(index, found, len(found), names) if found else None

    def _settle_outside(self, index: int, fate: Fate) -> None:
        pieces = self._outside[fate]
        ranges = [AddressRange(self.family, *each) for each in joined((it.first, it.last) for it in pieces)]
        view = outside_class(self._news.after, index, out_there(self._news.after, ranges), ranges)
        self._views[0][index] = None if fate.whole is None else view
        self._views[1][index] = None if fate.changed and fate.whole is not None else view

    def _settle_rest(self, index: int, taken: _Taken) -> None:
        """What is left of a class of which some was cut off."""
        whole = self._base.classes[index]
        if whole.is_outside:
            view = self._rest_outside(whole)
        else:
            cut = {(it.vpc, it.address) for fate, found in self._inside.items() if fate.whole == index for it in found}
            addresses = ((it, Address(self.family, it.value)) for it in self._places.of_class[index])
            rest = ((it.vpc, address, it.port) for it, address in addresses if (it.vpc, address) not in cut)
            view = _inside_class(index, rest, self._whole_size(index) - len(cut), taken[1])
        self._views[0][index] = self._views[1][index] = view

    def _rest_outside(self, whole: EndClass) -> EndClass:
        cut = [it for fate, found in self._outside.items() if fate.whole == whole.index for it in found]
        gone = joined((it.first, it.last) for it in cut)
        ranges = [AddressRange(self.family, *it) for each in whole.ranges for it in _without(each, gone)]
        label = whole.label if whole.label == LARGEST else out_there(self._news.after, ranges)
        return outside_class(self._news.after, whole.index, label, ranges)

    # ---- what is asked of it

    @property
    def moved(self) -> int:
        """The classes of the world before whose addresses belong to another port now, or to none."""
        return _all(_by((fate.moved, index) for fate, index in self._index_of.items()), [True])

    @cached_property
    def cut(self) -> int:
        """The classes that are not as they were among those of the world before, new ones with them."""
        found = 0
        for index in self._views[1]:
            found |= 1 << index
        return found

    def telling(self, index: int) -> int:
        """The classes whose rules may mean a class otherwise than what it was before: nobody's, unless it changed.

        Where it is and its addresses stay as they were, so only rules that name a group that it came into or left do.
        """
        if not self.changed >> index & 1 or not self.after.view(index):
            return 0
        if index not in self._telling:
            self._telling[index] = self._told_apart(index)
        return self._telling[index]

    def _told_apart(self, index: int) -> int:
        if not self.origin(index):
            return self.everybody
        found = 0
        for name in self.before.meaning(index) ^ self.after.meaning(index):
            naming = self.before.world.ties.kinds(name).values()  # the rules of others are as they were
            for group in {name}.union(*naming):
                found |= self.before.ruled(group) | self.after.ruled(group)
        return found

    def origin(self, index: int) -> EndClass | None:
        """The class of the world before that a class is, or a part of."""
        return self._origins.get(index) if index in self._origins else self._base.classes[index]

    @cached_property
    def _origins(self) -> dict[int, EndClass | None]:
        return {
            index: None if fate.whole is None else self._base.classes[fate.whole]
            for fate, index in self._index_of.items()
        }

    def lifted(self, which: int) -> int:
        """A set of classes of the world before, as one of these."""
        for whole, parts in self._parts.items():
            if which >> whole & 1:
                which |= parts
        return which

    def lift(self, sieve: Sieve) -> Sieve:
        """A sieve of the world before, over these classes."""
        return {services: self.lifted(far) for services, far in sieve.items()} if self._parts else sieve

    def at(self, end: Endpoint) -> int | None:
        """The index of the class of an address; None if no packet can come from or go to it in either world."""
        fate = self._fates.at(end)
        return self._index_of.get(fate, fate.whole) if fate else None

    def examples(self, index: int) -> Iterator[Endpoint]:
        """An address of a class, and one in another guest, if there is one."""
        yield self.told[index].example
        if other := self.told[index].other:
            yield other

    def addresses(self, index: int) -> Iterator[Endpoint]:
        """Every address of a class inside; of one outside one."""
        if self.told[index].is_outside:
            yield self.told[index].example
        origin = self.origin(index)
        kept = self._places.of_class.get(origin.index, ()) if origin else ()
        ends = (Endpoint(Address(self.family, it.value), it.vpc, str(it.port)) for it in kept)
        yield from (end for end in ends if self.at(end) == index)
        born = (it for fate, at in self._index_of.items() if at == index and not origin for it in self._inside[fate])
        yield from (Endpoint(it.address, it.vpc, str(it.ports[1] or it.ports[0])) for it in born)

    @cached_property
    def _marked(self) -> dict[int, int]:
        return _by(((fate.news, index) for fate, index in self._index_of.items()))

    @cached_property
    def _born(self) -> dict[int, int]:
        return _by((fate.mark, index) for fate, index in self._index_of.items() if fate.whole is None)

    def meant(self, ranges: Ranges) -> int:
        """The classes in a set of addresses that the world after names."""
        own = [each for each in ranges if each.family is self.family]
        if self._news.named and ranges in self._news.named:
            marks = {mark for each in own for mark in self._news.segments.marks(each)}
            return _all(self._marked, marks)
        found = self.lifted(self._base.meant(ranges))
        return found | _all(self._born, self._news.ends.within(ranges, self.family)) if self._born else found

    @property
    def everybody(self) -> int:
        """All of them."""
        return (1 << self._count) - 1

    @cached_property
    def before(self) -> Side:
        """The classes as the world before has them."""
        return Side(self, self._base, self._news.before, self._views[0])

    @cached_property
    def after(self) -> Side:
        """The classes as the world after has them."""
        return Side(self, self._base, self._news.after, self._views[1])

    @cached_property
    def told(self) -> tuple[EndClass, ...]:
        """Each class at its index, as it is now, or was if it is there no more."""
        sides, classes = (self.after, self.before), list(self._base.classes)
        for index in sorted(self._views[1]):
            view = next(filter(None, (it.view(index) for it in sides)))
            classes[index : index + 1] = [view]  # a new one is behind all others
        return tuple(classes)


class Side:
    """The classes of two worlds, as one of them has them. `meant` is for the one after only."""

    def __init__(self, joint: Joint, base: OneWorld, world: World, views: dict[int, EndClass | None]) -> None:
        self._joint, self._base, self.family = joint, base, base.family
        self.world, self._views = world, views
        self._kept = ~joint.cut
        self._lists = Lists(world, filter(None, views.values()))
        self.everybody = base.everybody & self._kept
        for found in self._lists.vpcs.values():
            self.everybody |= found

    @cached_property
    def classes(self) -> tuple[EndClass, ...]:
        """All that the world has, in the order of their indexes."""
        return tuple(view for each in bits(self.everybody) if (view := self.view(each)))

    def view(self, index: int) -> EndClass | None:
        """A class as the world has it; None if it has not."""
        return self._views[index] if index in self._views else self._base.classes[index]

    @property
    def outside(self) -> int:
        """Those outside of every VPC."""
        return self.in_vpc("")

    def in_vpc(self, vpc: str) -> int:
        """Those in a VPC."""
        return self._base.in_vpc(vpc) & self._kept | self._lists.vpcs.get(vpc, 0)

    def members(self, vpc: str, group: str) -> int:
        """Those in a VPC that a rule means by a group."""
        return self._base.members(vpc, group) & self._kept | self._lists.members.get((vpc, group), 0)

    def in_guest(self, guest: Guest) -> int:
        """Those of which all are in one guest."""
        return self._base.in_guest(guest) & self._kept | self._lists.guests.get(guest, 0)

    def meaning(self, index: int) -> frozenset[str]:
        """The groups that mean a class."""
        view = self.view(index)
        return frozenset(groups_meaning(self.world, view) if view else ())

    def ruled(self, group: str) -> int:
        """Those that a group's rules judge."""
        return self._base.lists.ruled.get(group, 0) & self._kept | self._lists.ruled.get(group, 0)

    def meant(self, ranges: Ranges) -> int:
        """Those in a set of addresses that the world after names."""
        return self._joint.meant(ranges) & self.everybody


def _size(member: Member | AddressRange) -> int:
    return member.last - member.first + 1 if isinstance(member, AddressRange) else 1


def _inside_class(index: int, members: Iterable[tuple[str, Address, Port]], size: int, taken: set[str]) -> EndClass:
    return inside_class(index, Bucket.of(((port, address) for _, address, port in members), size), taken)


def _without(run: AddressRange, gone: list[Interval]) -> Iterator[Interval]:
    """What is left of a range without some that are in order."""
    first = run.first
    for begin, end in gone:
        if end < first or begin > run.last:
            continue
        if begin > first:
            yield first, begin - 1
        first = end + 1
    if first <= run.last:
        yield first, run.last


def _by(pairs: Iterable[tuple[int, int]]) -> dict[int, int]:
    found: dict[int, int] = {}
    for key, index in pairs:
        found[key] = found.get(key, 0) | 1 << index
    return found


def _all(marked: dict[int, int], marks: Iterable[int]) -> int:
    found = 0
    for mark in set(marks):
        found |= marked.get(mark, 0)
    return found
