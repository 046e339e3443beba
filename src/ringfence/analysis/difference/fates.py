"""What a change makes of addresses: those of one class of ends to which the same happens have one fate."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from ringfence.analysis.difference.news import News
from ringfence.analysis.difference.places import Places
from ringfence.analysis.reach.ends import Lot, lot_of
from ringfence.analysis.reach.roster import OneWorld
from ringfence.analysis.sets.diagram import Interval
from ringfence.model.address import Address, AddressRange
from ringfence.model.flow import Endpoint
from ringfence.model.topology import Port


class Fate(NamedTuple):
    """What a change makes of addresses of one class: equal fates, one class."""

    whole: int | None
    """The index of their class before; None if they had none."""
    mark: int
    """Their mark before, where they had no class."""
    news: int
    """In which newly named sets they lie."""
    changed: bool
    moved: bool = False
    """Whether they belong to another port, or to none."""
    lot: Lot | None = None
    """What decides about them now, if that changed; None if nobody has them."""


class Member(NamedTuple):
    """An address inside, and who has it before and after."""

    vpc: str
    address: Address
    ports: tuple[Port | None, Port | None]


class Fates:
    """The fates of all addresses of one family that a change touches; of others nothing is said."""

    def __init__(self, base: OneWorld, places: Places, news: News) -> None:
        self._base, self._places, self._news = base, places, news
        self.family = base.family
        self.inside: dict[Fate, list[Member]] = defaultdict(list)
        """The addresses inside, by their fates."""
        self.outside: dict[Fate, list[AddressRange]] = defaultdict(list)
        """The ranges outside, by their fates."""
        self.whole: dict[Fate, int] = {}
        """The classes that have a fate as a whole, and stay as they are."""
        for vpc, address in sorted(self._news.moved):
            if address.family is self.family:
                self._move(vpc, address)
        for mark, run in self._news.segments.within(AddressRange.all(self.family)) if self._news.named else ():
            if mark:
                self._cut(mark, run)
        for run in self._news.opened(self.family):
            self._open(run)

    def at(self, end: Endpoint) -> Fate | None:
        """The fate of any address; None if no packet can come from or go to it in either world."""
        news = self._news
        whole, mark = news.ends.at(end), news.segments.mark(end.address)
        if end.vpc and (end.vpc, end.address) in news.moved:
            return self.of(end.vpc, end.address) or (Fate(whole.index, 0, mark, changed=False) if whole else None)
        if whole is None:
            return None if end.vpc else Fate(None, news.ends.segments.mark(end.address), mark, changed=True)
        run = AddressRange(self.family, end.address.value, end.address.value)
        return Fate(whole.index, 0, mark, changed=not end.vpc and bool(mark) and self._is_closed(run))

    def _move(self, vpc: str, address: Address) -> None:
        fate = self.of(vpc, address)
        if fate and (fate.changed or fate.news):
            end = Endpoint(address, vpc)
            ports = self._news.before.port_at(end), self._news.after.port_at(end)
            self.inside[fate].append(Member(vpc, address, ports))

    def of(self, vpc: str, address: Address) -> Fate | None:
        """The fate of an address that moved inside a VPC; None if nobody has it before or after."""
        end = Endpoint(address, vpc)
        before, after = self._news.before, self._news.after
        old, new = before.port_at(end), after.port_at(end)
        if not old and not new:
            return None
        whole, mark = self._news.ends.at(end), self._news.segments.mark(address)
        lot = lot_of(after, new, address) if new else None
        if whole is None:
            return Fate(None, self._news.ends.segments.mark(address), mark, changed=True, lot=lot)
        moved = (old and str(old)) != (new and str(new))
        stays = old and new and not moved and (old.guest, old.subnet) == (new.guest, new.subnet)
        if stays and old and lot_of(before, old, address) == lot:
            return Fate(whole.index, 0, mark, changed=False)
        return Fate(whole.index, 0, mark, changed=True, moved=moved, lot=lot)

    def _cut(self, mark: int, run: AddressRange) -> None:
        """Take note of what lies in newly named sets."""
        for index, count in self._places.within(run).items():
            fate = Fate(index, 0, mark, changed=False)
            if count == len(self._places.of_class[index]) and index not in self._leaving:
                self.whole[fate] = index  # all of it: it stays as it is
            elif members := list(self._members(index, run)):
                self.inside[fate] += members
        for index, part in self._places.outside(run):
            fate = Fate(index, 0, mark, changed=self._is_closed(part))
            if not fate.changed and part == self._base.classes[index].ranges[0] == self._base.classes[index].ranges[-1]:
                self.whole[fate] = index
            else:
                self.outside[fate].append(part)

    def _members(self, index: int, run: AddressRange) -> Iterator[Member]:
        """The addresses of a class that lie in a range, without those that moved."""
        for place in self._places.of_class[index]:
            if run.first <= place.value <= run.last:
                address = Address(self.family, place.value)
                if (place.vpc, address) not in self._news.moved:
                    yield Member(place.vpc, address, (place.port, place.port))

    @cached_property
    def _leaving(self) -> frozenset[int]:
        """The classes of which some addresses moved."""
        ends = (self._news.ends.at(Endpoint(it, vpc)) for vpc, it in self._news.moved if it.family is self.family)
        return frozenset(end.index for end in ends if end)

    def _open(self, run: AddressRange) -> None:
        """Take note of what was in a VPC's space and is outside now."""
        for mark, whole in self._news.ends.segments.within(run):
            for news, part in self._news.segments.within(whole):
                if not self._is_closed(part):
                    self.outside[Fate(None, mark, news, changed=True)].append(part)

    def _is_closed(self, part: AddressRange) -> bool:
        """Whether a range that no space cuts lies in one now."""
        place = bisect_right(self._closed, (part.first, self.family.top)) - 1
        return place >= 0 and part.first <= self._closed[place][1]

    @cached_property
    def _closed(self) -> list[Interval]:
        return self._news.closed(self.family)
