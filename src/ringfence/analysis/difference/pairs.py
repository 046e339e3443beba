"""Which services pass between which classes after a change and did not before, or the other way round.

Only pairs with an end that the change touches can differ. What such an end lets pass is worked out anew; what all
others do is carried over from the world before, unless their rules tell a class from what it was (`Joint.telling`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import NamedTuple

from ringfence.analysis.difference.joint import Joint
from ringfence.analysis.reach.ends import EndClass
from ringfence.analysis.reach.plane import Plane
from ringfence.analysis.sets.diagram import NOTHING, Diagram
from ringfence.analysis.sets.sieve import Columns, Sieve, bits, joined, passing
from ringfence.policy.evaluate import Policy

_FEW = 64
"""Up to so many far ends are asked one by one; for more, those of all are put in columns."""


class Turned(NamedTuple):
    """Services that pass between classes only in the world after (``allowed``), or only in the one before."""

    sources: int
    destinations: int
    services: Diagram
    allowed: bool


class Pairs:
    """What passes between the classes of one family, before and after a change that touches some of them.

    ``base`` has the world before, and keeps what it has found for the next change.
    """

    def __init__(self, base: Plane, joint: Joint, policy: Policy, touched: int) -> None:
        self.joint, self.touched = joint, touched
        self.sieves = base.sieves
        after = Plane(policy, joint.after, base.sieves)
        self.sent = Rows(joint, touched, base.sends, lambda: base.sent_to, after.sends)
        self.received = Rows(joint, touched, base.receives, lambda: base.received_from, after.receives)
        self._less: dict[tuple[Diagram, Diagram], Diagram] = {}

    def turned(self) -> Iterator[Turned]:
        """What passes otherwise now; no two classes come twice for the same world."""
        for index in bits(self.touched):
            one = 1 << index
            for far, services, allowed in self._at(index, self.received, self.sent, self.touched, ~0):
                yield Turned(far, one, services, allowed)
            for far, services, allowed in self._at(index, self.sent, self.received, 0, ~self.touched):
                yield Turned(one, far, services, allowed)

    def _at(self, index: int, own: Rows, others: Rows, always: int, among: int) -> Iterator[tuple[int, Diagram, bool]]:
        """What turns between an end and others: where its rules differ, or theirs may: ``always``, or towards it."""
        old, new = own.before(index), own.after(index)
        far = always | _differing(old, new) | self.joint.telling(index)
        far &= among & ~self.stays(index)
        if far:
            before = self.sieves.meet(others.column_before(index, far), old)
            after = self.sieves.meet(others.column_after(index, far), new)
            for hit, gone, come in apart(before, after):
                yield from ((hit, services, False) for services in [self.minus(gone, come)] if services)
                yield from ((hit, services, True) for services in [self.minus(come, gone)] if services)

    def minus(self, one: Diagram, two: Diagram) -> Diagram:
        """The services of one set that are not in another."""
        if (one, two) not in self._less:
            self._less[one, two] = one - two
        return self._less[one, two]

    def stays(self, index: int) -> int:
        """The classes between which and an end nothing leaves the guest, before or after."""
        found = 0
        for side in (self.joint.before, self.joint.after):
            view = side.view(index)
            if view and view.guest:
                found |= side.in_guest(view.guest)
        return found


class Rows:
    """What each class lets out, or in; before a change and after it, by far ends."""

    def __init__(
        self,
        joint: Joint,
        touched: int,
        base: Callable[[EndClass], Sieve],
        columns: Callable[[], Columns],
        anew: Callable[[EndClass], Sieve],
    ) -> None:
        self._joint, self._touched = joint, touched
        self._base, self._columns, self._anew = base, columns, anew

    def before(self, index: int) -> Sieve:
        """What a class lets pass before."""
        origin = self._joint.origin(index)
        return self._joint.lift(self._base(origin)) if origin else {}

    def after(self, index: int) -> Sieve:
        """What a class lets pass after."""
        view = self._joint.after.view(index)
        return self._anew(view) if view else {}

    def column_before(self, index: int, near: int) -> Sieve:
        """What some classes let pass to or from one, before."""
        to = self._joint.origin(index)
        if to is None:
            return {}
        if near.bit_count() > _FEW:
            return only(self._joint.lift(self._columns().to(to.index)), near)
        return joined((self._kept(each, to), 1 << each) for each in bits(near))

    def _kept(self, near: int, to: EndClass) -> Diagram:
        origin = self._joint.origin(near)
        return passing(self._base(origin), to.index) if origin else NOTHING

    def column_after(self, index: int, near: int) -> Sieve:
        """What some classes let pass to or from one, after."""
        if not self._joint.after.view(index):
            return {}
        anew = near & (self._touched | self._joint.telling(index))
        kept = self.column_before(index, near & ~anew)
        return joined((*kept.items(), *self._new_column(index, anew).items()))

    def _new_column(self, index: int, near: int) -> Sieve:
        if near.bit_count() > _FEW:
            return only(self._new_columns.to(index), near)
        return joined((passing(self.after(each), index), 1 << each) for each in bits(near))

    @cached_property
    def _new_columns(self) -> Columns:
        near = self._touched
        for index in bits(self._joint.changed):
            near |= self._joint.telling(index)
        return Columns((each, self.after(each)) for each in bits(near))


def only(sieve: Sieve, which: int) -> Sieve:
    """A sieve for some of its far ends."""
    return {services: hit for services, ends in sieve.items() if (hit := ends & which)}


def ends_of(sieve: Sieve) -> int:
    """All the far ends with which something passes."""
    found = 0
    for ends in sieve.values():
        found |= ends
    return found


def _differing(one: Sieve, two: Sieve) -> int:
    """The far ends with which not the same passes."""
    same = 0
    for services, ends in one.items():
        same |= ends & two.get(services, 0)
    return (ends_of(one) | ends_of(two)) & ~same


def apart(one: Sieve, two: Sieve) -> Iterator[tuple[int, Diagram, Diagram]]:
    """The far ends with which not the same passes, and what does by either sieve."""
    which = _differing(one, two)
    for old, ends in _with_nothing(one, which):
        for new, others in _with_nothing(two, which):
            if hit := ends & others:
                yield hit, old, new


def _with_nothing(sieve: Sieve, which: int) -> Iterator[tuple[Diagram, int]]:
    yield from ((services, ends & which) for services, ends in sieve.items())
    yield NOTHING, which & ~ends_of(sieve)
