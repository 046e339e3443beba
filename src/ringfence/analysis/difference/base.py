"""What is kept of a world that others are compared with: its classes, where they lie, and what they let pass.

It can follow the world: where a change leaves every address to somebody, the classes are cut as for a comparison and
keep their indexes, and only what the change touches is worked out anew. So what is kept may tell apart what no rule
does any more, which costs a little and changes no answer.
"""

from __future__ import annotations

from functools import cached_property

from ringfence.analysis.difference.joint import Joint
from ringfence.analysis.difference.news import News
from ringfence.analysis.difference.places import Places
from ringfence.analysis.difference.touched import touched
from ringfence.analysis.reach.ends import EndClass, Ends
from ringfence.analysis.reach.plane import Plane
from ringfence.analysis.reach.roster import OneWorld
from ringfence.analysis.sets.sieve import bits
from ringfence.model.address import Address, Family
from ringfence.model.flow import Endpoint
from ringfence.model.world import World
from ringfence.policy.change import Change, Differences
from ringfence.policy.evaluate import Policy

MOST_FOLLOWED = 200
"""After so many changes it is better made from nothing: it has cut too much, and remembers too much."""


class Base:
    """A world, and what is known of it; each part is worked out when it is first asked for."""

    def __init__(self, world: World) -> None:
        self.world, self.policy = world, Policy(world)
        self.age = 0
        """How many changes it has followed."""

    @cached_property
    def ends(self) -> Ends:
        """The classes of its ends."""
        return Ends(self.world)

    @cached_property
    def rosters(self) -> dict[Family, OneWorld]:
        """Which of them is meant by what."""
        return {family: OneWorld(self.world, self.ends, family) for family in Family}

    @cached_property
    def places(self) -> dict[Family, Places]:
        """Where their addresses lie."""
        return {family: Places(self.world, self.ends, family) for family in Family}

    @cached_property
    def planes(self) -> dict[Family, Plane]:
        """What they let pass."""
        return {family: Plane(self.policy, self.rosters[family]) for family in Family}

    def joined(self, after: World, change: Change) -> dict[Family, Joint]:
        """The classes that neither it nor another world tells apart."""
        return self._joints(News(self.ends, self.world, after, change))

    def _joints(self, news: News) -> dict[Family, Joint]:
        return {family: Joint(self.rosters[family], self.places[family], news) for family in Family}

    def followed(self, after: World, change: Change) -> Base | None:
        """The base of the world after a change; None where that is to be made from nothing."""
        if change.vpcs or after.outside != self.world.outside or self.age >= MOST_FOLLOWED:
            return None
        news = News(self.ends, self.world, after, change)
        joints = self._joints(news)
        if any(None in _classes(joint) or _born(self, joint) for joint in joints.values()):
            return None
        return _Followed(self, news, joints, change)


def _classes(joint: Joint) -> list[EndClass | None]:
    return [joint.after.view(index) for index in bits(joint.everybody)]


def _born(base: Base, joint: Joint) -> bool:
    """Whether there is a class that is of no class before."""
    new = range(len(base.rosters[joint.family].classes), joint.everybody.bit_length())
    return any(joint.origin(index) is None for index in new)


class _Followed(Base):
    """A base that was made of another one."""

    def __init__(self, old: Base, news: News, joints: dict[Family, Joint], change: Change) -> None:
        super().__init__(news.after)
        self.age = old.age + 1
        self.ends = _FollowedEnds(old.ends, news, joints)
        self.places = {
            family: old.places[family].followed(news.after, self.ends, joints[family].cut, news.moved)
            for family in Family
        }
        differences = Differences(news.before, news.after, change)
        for family, joint in joints.items():
            anew = touched(joint, (news.before, news.after), change, differences)
            for index in bits(joint.changed):
                anew |= joint.telling(index)
            parts = _parts(joint, len(old.rosters[family].classes))
            self.planes[family].carry(old.planes[family], joint.lift, parts, anew)


def _parts(joint: Joint, count: int) -> dict[int, int]:
    """The classes that were cut off others, and these; so many there were before."""
    origins = ((index, joint.origin(index)) for index in range(count, joint.everybody.bit_length()))
    return {index: origin.index for index, origin in origins if origin}


class _FollowedEnds(Ends):
    """The classes of a world, as they are cut out of those of the world before."""

    def __init__(self, old: Ends, news: News, joints: dict[Family, Joint]) -> None:
        self._world = news.after
        self.named = old.named | news.named
        self.segments = old.segments.with_more(news.segments) if news.named else old.segments
        self.of_family = {family: tuple(filter(None, _classes(joint))) for family, joint in joints.items()}
        known = old._apart if isinstance(old, _FollowedEnds) else {}
        self._apart: dict[tuple[str, Address], EndClass] = {}
        """The classes of addresses that have moved: others that fare alike may have another one."""
        for vpc, address in {*known, *news.moved}:
            index = joints[address.family].at(Endpoint(address, vpc))
            if index is not None:
                self._apart[vpc, address] = self.of_family[address.family][index]
        self._by_key = {}
        parts = {family: _by_origin(joint, len(old.of_family[family])) for family, joint in joints.items()}
        for (family, (_, lot)), whole in old._by_key.items():
            for index in (whole.index, *parts[family].get(whole.index, ())):
                if not joints[family].changed >> index & 1:
                    found = self.of_family[family][index]
                    self._by_key[family, (self.mark(found), lot)] = found

    def at(self, end: Endpoint) -> EndClass | None:
        """The class of an address; None if no packet can come from or go to it."""
        return self._apart.get((end.vpc, end.address)) or super().at(end)


def _by_origin(joint: Joint, count: int) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for index, origin in _parts(joint, count).items():
        found.setdefault(origin, []).append(index)
    return found
