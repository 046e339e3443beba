"""One family of a world: what each class of ends may send and receive, by the lists that `evaluate` walks.

`Policy` says which lists guard an end and in which order their lines count; here they answer for all far ends at once.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from functools import cached_property, reduce
from operator import or_

from ringfence.analysis.reach.ends import EndClass, EndSet, ranges_of
from ringfence.analysis.reach.roster import Roster
from ringfence.analysis.sets.diagram import NOTHING, Diagram
from ringfence.analysis.sets.packets import every_service, listed_services, services
from ringfence.analysis.sets.sieve import Columns, Sieve, SieveLine, Sieves, bits, joined, passing
from ringfence.model.rule import Action, AnyRemote, Direction, GroupRemote, Remote
from ringfence.model.service import PortSet, Protocol, ServiceSet
from ringfence.model.topology import Port, Vpc
from ringfence.policy.decisions import Decision, class_of
from ringfence.policy.evaluate import Policy
from ringfence.policy.platform import penalty_of


class Plane:
    """The classes of one family. Sets of classes are numbers: the bit of a class is at its index."""

    def __init__(self, policy: Policy, roster: Roster, sieves: Sieves | None = None) -> None:
        self._policy, self.roster, self.family = policy, roster, roster.family
        self._world = policy.world
        self.everybody, self.outside = roster.everybody, roster.outside
        self.inside = self.everybody & ~self.outside
        self.every = every_service(self.family)
        self.sieves = sieves or Sieves()
        self._sides: dict[Remote, int] = {}
        self._named = self.sieves.named
        self._lists: dict[Hashable, Sieve] = {}
        self._sends: dict[int, Sieve] = {}
        self._receives: dict[int, Sieve] = {}

    @property
    def classes(self) -> tuple[EndClass, ...]:
        """Its classes; in a plane of one world each is at its index."""
        return self.roster.classes

    def carry(self, old: Plane, lift: Callable[[Sieve], Sieve], parts: Mapping[int, int], anew: int) -> None:
        """Take over what another plane has found, but of some classes (``anew``).

        ``lift`` makes its sieves sieves over the classes of this one, and ``parts`` are new classes by what they were.
        """
        for own, known in ((self._sends, old._sends), (self._receives, old._receives)):
            own |= {index: lift(sieve) for index, sieve in known.items() if not anew >> index & 1}
            own |= {index: lift(known[of]) for index, of in parts.items() if of in known and not anew >> index & 1}

    # ---- what an end lets pass

    def sends(self, end: EndClass) -> Sieve:
        """What may leave an end and have its answer back there, by where it goes."""
        if end.index not in self._sends:
            self._sends[end.index] = self._sent(end, end.port) if end.port else {self.every: self.inside}
        return self._sends[end.index]

    def receives(self, end: EndClass) -> Sieve:
        """What may come in at an end and be answered from there, by where it comes from."""
        if end.index not in self._receives:
            self._receives[end.index] = self._received(end, end.port) if end.port else {self.every: self.inside}
        return self._receives[end.index]

    def _sent(self, end: EndClass, port: Port) -> Sieve:
        vpc = self._world.vpcs[port.vpc]
        found = self._open(end, vpc, port, self._but(self.every, vpc.profile.blocked_egress))
        found = self.sieves.meet(found, self._gate(end, port, Direction.EGRESS))
        for peer in self._world.peers_of(vpc.name):
            found = self._behind(found, end, self._policy.peering(vpc.name, peer), self.roster.in_vpc(peer))
        found = self._behind(found, end, self._policy.border(vpc, Direction.EGRESS), self.outside)
        return self._past_acls(found, end, port, Direction.EGRESS)

    def _received(self, end: EndClass, port: Port) -> Sieve:
        vpc = self._world.vpcs[port.vpc]
        found = self._open(end, vpc, port, self.every)
        found = self.sieves.meet(found, self._gate(end, port, Direction.INGRESS))
        found = self._behind(found, end, self._policy.border(vpc, Direction.INGRESS), self.outside)
        return self._past_acls(found, end, port, Direction.INGRESS)

    def _open(self, end: EndClass, vpc: Vpc, port: Port, open_: Diagram) -> Sieve:
        """What route, platform and carriers leave over."""
        if penalty_of(self._world, port):
            return {}
        near = self.roster.in_vpc(vpc.name)
        for peer in self._world.peers_of(vpc.name):
            near |= self.roster.in_vpc(peer)
        return joined([(open_, near), (self._but(open_, vpc.profile.carrier_blocks), self.outside)])

    def _but(self, open_: Diagram, listed: ServiceSet) -> Diagram:
        """Services without those of a list."""
        key = open_, listed
        if key not in self._named:
            self._named[key] = open_ - listed_services(self.family, listed)
        return self._named[key]

    def _gate(self, end: EndClass, port: Port, direction: Direction) -> Sieve:
        vpc = self._world.vpcs[port.vpc]
        return self._listed(end, self._policy.decisions(class_of(vpc, port), direction), answers=False)

    def _behind(self, found: Sieve, end: EndClass, listed: tuple[Decision, ...], far: int) -> Sieve:
        """What is left behind a firewall that stands before some far ends."""
        return self._only(found, self._listed(end, listed, answers=False), far) if listed else found

    def _only(self, found: Sieve, other: Sieve, far: int) -> Sieve:
        """What a sieve leaves of another towards some far ends; the others do not meet it."""
        there = self.sieves.meet({it: ends & far for it, ends in found.items()}, other)
        return joined([*((it, ends & ~far) for it, ends in found.items()), *there.items()])

    def _past_acls(self, found: Sieve, end: EndClass, port: Port, direction: Direction) -> Sieve:
        """Past the subnet's ACL, which nothing inside the subnet meets; a stateless one judges answers as well."""
        subnet = self._world.subnet_of(port)
        prefix = subnet.prefix_of(self.family)
        within = self._of_side(prefix) & self.roster.in_vpc(port.vpc) if subnet.acl and prefix else 0
        other = Direction.EGRESS if direction is Direction.INGRESS else Direction.INGRESS
        asked = [(direction, False)]
        if not self._world.vpcs[port.vpc].profile.acl_stateful:
            asked.append((other, True))
        for way, answers in asked:
            if listed := self._policy.acl(subnet, way):
                found = self._only(found, self._listed(end, listed, answers=answers), self.everybody & ~within)
        return found

    # ---- lists

    def _listed(self, end: EndClass, listed: tuple[Decision, ...], *, answers: bool) -> Sieve:
        """The sieve of a list, the same for all ends with one VPC whose own address the same lines mean."""
        here = [not isinstance(it.local, AnyRemote) and not self._of_side(it.local) >> end.index & 1 for it in listed]
        passed = tuple(index for index, is_apart in enumerate(here) if is_apart)
        key = id(listed), end.example.vpc, passed, answers  # the policy keeps its lists
        if key not in self._lists:
            lines = (it for it, is_apart in zip(listed, here, strict=True) if not is_apart)
            made = (self._line(it, end.example.vpc, answers=answers) for it in lines)
            self._lists[key] = self.sieves.of([it for it in made if it.far and it.services], self.everybody)
        return self._lists[key]

    def _line(self, decision: Decision, vpc: str, *, answers: bool) -> SieveLine:
        ports = decision.ports, decision.source_ports
        to, comes_from = reversed(ports) if answers else ports
        far = self._of_remote(decision, vpc)
        return SieveLine(self._services(decision.protocol, to, comes_from), far, decision.action is Action.ALLOW)

    def _services(self, protocol: Protocol, to: PortSet, comes_from: PortSet) -> Diagram:
        key = protocol, to, comes_from
        if key not in self._named:
            self._named[key] = services(self.family, protocol, to, comes_from)
        return self._named[key]

    def _of_remote(self, decision: Decision, vpc: str) -> int:
        remote = decision.remote
        if not isinstance(remote, GroupRemote):
            return self._of_side(remote)
        far = self.roster.members(vpc, remote.name)
        if self._world.vpcs[vpc].profile.peer_references and not decision.own_vpc:
            for peer in self._world.peers_of(vpc):
                far |= self.roster.members(peer, remote.name)
        return far

    def _of_side(self, side: Remote) -> int:
        """The classes whose addresses a side means."""
        if isinstance(side, AnyRemote):
            return self.everybody
        if side not in self._sides:
            self._sides[side] = self.roster.meant(ranges_of(self._world, side))
        return self._sides[side]

    # ---- both ends

    def between(self, source: EndClass, destination: EndClass) -> Diagram:
        """What reaches one class from another."""
        if self.stays(source) >> destination.index & 1:
            return NOTHING
        sent = passing(self.sends(source), destination.index)
        return self.sieves.both(sent, passing(self.receives(destination), source.index))

    def stays(self, end: EndClass) -> int:
        """The classes all of which are in the one guest that an end is in: nothing leaves it between them."""
        return self.roster.in_guest(end.guest) if end.guest else 0

    def to(self, destination: EndClass) -> Sieve:
        """What reaches a class, by the classes that it comes from."""
        others = ~self.stays(destination)
        sent = {services: senders & others for services, senders in self.sent_to.to(destination.index).items()}
        return self.sieves.meet(sent, self.receives(destination))

    def from_outside(self, destination: EndClass) -> Sieve:
        """What reaches a class inside from the classes outside: nothing else guards these."""
        return joined((services, senders & self.outside) for services, senders in self.receives(destination).items())

    @cached_property
    def sent_to(self) -> Columns:
        """What everybody sends, by where it goes."""
        return Columns((each.index, self.sends(each)) for each in self.classes)

    @cached_property
    def received_from(self) -> Columns:
        """What everybody lets in, by where it comes from."""
        return Columns((each.index, self.receives(each)) for each in self.classes)

    def from_(self, source: EndClass) -> Sieve:
        """What a class reaches, by the classes that it goes to."""
        bit, others = 1 << source.index, ~self.stays(source)
        return joined(
            (self.sieves.both(sent, services_), 1 << place)
            for sent, far in self.sends(source).items()
            for place in bits(far & others)
            for services_, senders in self.receives(self.classes[place]).items()
            if senders & bit
        )

    def set_of(self, ends: Iterable[EndClass]) -> int:
        """The set of those classes that are of this family."""
        return reduce(or_, (1 << each.index for each in ends if each.family is self.family), 0)

    def chosen(self, which: int) -> EndSet:
        """The classes of a set."""
        return EndSet(self.classes, which)
