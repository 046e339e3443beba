"""What a change of the world does to live connections (SEMANTICS.md 3.3, 13.2, 13.3).

Each VPC decides about its own conntrack table by its own profile, also where a connection goes on into a peered VPC.
For new connections the change is in force anyway; here it is decided which old ones it cuts:

`OnChange.CLEAR_INBOUND`
    those that others began to a port whose groups' rules, members or order changed, whatever the new rules say of them,
    and where the members of a group changed that a rule names, those with the addresses that came or went. Network
    ACLs, firewalls and penalties cut nothing.
`OnChange.REJUDGE`
    those that the VPC's stages allowed before and deny now. A stateless ACL judges every packet, so it cuts nothing.
`OnChange.KEEP`
    none.

In each mode a connection is cut without a hold if one of its addresses belongs to another port now.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from ringfence.errors import NotationError
from ringfence.model.address import Address
from ringfence.model.connection import Connection
from ringfence.model.flow import Endpoint
from ringfence.model.group import SecurityGroup
from ringfence.model.profile import AfterClear, GroupOrder, OnChange, Profile
from ringfence.model.rule import Action, GroupRemote, NicType
from ringfence.model.service import TCP
from ringfence.model.topology import Port
from ringfence.model.world import World
from ringfence.policy.change import Change, Differences
from ringfence.policy.evaluate import Policy
from ringfence.policy.verdict import Stage, Step

_ACL_STAGES = (Stage.ACL_EGRESS, Stage.ACL_INGRESS)


@dataclass(frozen=True, slots=True)
class Cut:
    """A connection that a change cuts, why, and for how many seconds its key is held; 0 is not at all."""

    connection: Connection
    because: str
    hold: int = 0

    def as_json(self) -> dict[str, object]:
        """For programs."""
        return {"connection": self.connection.as_json(), "because": self.because, "hold": self.hold}


class Place(NamedTuple):
    """What a change means for an address, as seen from a VPC."""

    moved: str
    """Why it is not what it was; empty if it is."""
    near: bool
    """Whether something changed that judges what it sends and receives: most changes are far from most addresses."""
    cleared: str
    """Why connections to it are cleared, whoever began them."""
    groups: tuple[str, ...]
    """Its port's, before and after, if that is the VPC's own."""
    turned: Mapping[str, str]
    """The groups by which it is meant now and was not, or the other way round: ``joined`` or ``left``."""


class LiveChange:
    """A change from one world to another, ready to judge live connections.

    ``change`` is what differs, if that is known; else the worlds are compared. Neither world may be changed meanwhile.
    What it costs to judge a connection does not grow with the world.
    """

    def __init__(self, before: World, after: World, change: Change | None = None) -> None:
        self._before, self._after = _Side(before), _Side(after)
        self._change = Change.between(before, after) if change is None else change
        self._differing = Differences(before, after, self._change)
        self._places: dict[tuple[str, Address], Place] = {}

    @cached_property
    def vpcs(self) -> tuple[str, ...]:
        """The VPCs that may have connections to cut. Looks at every port, if anything that matters has changed."""
        found = {vpc for vpc in self._after.world.vpcs if self._differing.whole(vpc)}
        for name in self._change.virtual_ips:
            found |= {vip.vpc for side in self._sides if (vip := side.world.virtual_ips.get(name))}
        if self._differing.is_near_some:
            for side in self._sides:
                found |= {port.vpc for port in side.world.ports if self._differing.near(port, side.world)}
        peers = {peer for side in self._sides for vpc in found for peer in side.world.peers_of(vpc)}
        return tuple(sorted((found | peers) & self._after.world.vpcs.keys()))

    @property
    def _sides(self) -> tuple[_Side, _Side]:
        return self._before, self._after

    def cuts(self, connections: Iterable[Connection]) -> Iterator[Cut]:
        """Which of the live connections the change cuts, in their order."""
        return filter(None, map(self.cut, connections))

    def cut(self, connection: Connection) -> Cut | None:
        """What the change does to one live connection; None if it stays. A child is judged as its parent is."""
        vpc = self._after.world.vpcs.get(connection.vpc)
        if vpc is None:
            return None
        judged = connection.parent or connection
        source, destination = self.place(vpc.name, judged.source), self.place(vpc.name, judged.destination)
        if because := source.moved or destination.moved:
            return Cut(connection, because)
        if vpc.profile.on_change is OnChange.CLEAR_INBOUND:
            because = destination.cleared or self._renamed(judged, source, destination)
        elif vpc.profile.on_change is OnChange.REJUDGE and (source.near or destination.near):
            because = self._denied(judged)
        return Cut(connection, because, hold_of(connection, vpc.profile)) if because else None

    def allows(self, connection: Connection) -> bool:
        """Whether it could begin now."""
        return self._after.allows(connection.parent or connection)

    def allowed(self, connection: Connection) -> bool:
        """Whether it could begin before."""
        return self._before.allows(connection.parent or connection)

    def place(self, vpc: str, address: Address) -> Place:
        """What the change means for an address, as seen from a VPC that is there after it."""
        found = self._places.get((vpc, address))
        if found is None:
            found = self._places[vpc, address] = self._look(vpc, address)
        return found

    def _look(self, vpc: str, address: Address) -> Place:
        old_end, new_end = (side.end(vpc, address) for side in self._sides)
        whole = self._differing.whole(vpc)
        if not self._reached(vpc).intersection((old_end.vpc, new_end.vpc)):
            return Place("", whole, "", (), {})
        old, new = (side.world.port_at(old_end if old_end.vpc else new_end) for side in self._sides)
        if old is not new and (old and str(old)) != (new and str(new)):
            return Place(f"{address} was {old or 'nobody'}'s and is {new or 'nobody'}'s now", True, "", (), {})
        near = whole or any(
            port is not None and self._differing.near(port, side.world)
            for port, side in zip((old, new), self._sides, strict=True)
        )
        if not near or not old or not new:
            return Place("", near, "", old.groups if old and old.vpc == vpc else (), {})
        before, after = (side.member_of(vpc, address) for side in self._sides)
        turned = {name: "joined" if name in after else "left" for name in sorted(before ^ after)}
        if new.vpc != vpc:
            return Place("", near, "", (), turned)
        return Place("", near, self._cleared(old, new), (*old.groups, *new.groups), turned)

    def _reached(self, vpc: str) -> set[str]:
        """The VPCs from which something may reach a VPC, before or after: who else has the same address is far away."""
        return {vpc, *(peer for side in self._sides for peer in side.world.peers_of(vpc))}

    def _cleared(self, old: Port, new: Port) -> str:
        """Why all connections to a port of the VPC are cleared."""
        changed = (self._differing.group(name) for name in (*old.groups, *new.groups))
        ordered = self._after.world.vpcs[new.vpc].profile.group_order is GroupOrder.SEQUENCE
        reordered = f"the groups of {new} changed their order" if ordered and old.groups != new.groups else ""
        return self._differing.switch(new.vpc) or next(filter(None, changed), "") or reordered

    def _renamed(self, connection: Connection, source: Place, destination: Place) -> str:
        """Whether the sender came into a group, or left one, that a rule of the receiver's groups names."""
        for name in destination.groups if source.turned else ():
            for named in sorted(source.turned.keys() & named_groups(self._after.world.groups.get(name))):
                how = source.turned[named]
                return f"{connection.source} {how} group {named}, which a rule of group {name} names"
        return ""

    def _denied(self, connection: Connection) -> str:
        now = self._after.denial(connection)
        if now is None or self._before.denial(connection) is not None:
            return ""
        place, by = f" of {now.place}" if now.place else "", f" by {now.group}" if now.group else ""
        return f"denied now at {now.stage}{place}{by}: {now.text}"


def hold_of(connection: Connection, profile: Profile) -> int:
    """For how many seconds the key of a cut connection is dropped: the timeout of its protocol (13.2, 13.9)."""
    timeouts = profile.timeouts
    if profile.after_clear is not AfterClear.HOLD or connection.ended:
        return 0
    if connection.protocol == TCP:
        return timeouts.tcp_established
    if connection.is_icmp:
        return timeouts.icmp
    return timeouts.both_ways if connection.answered else timeouts.one_way


class _Side:
    """One of the two worlds, as seen from the conntrack table of a VPC."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._policy = Policy(world)
        self._ends: dict[tuple[str, Address], Endpoint] = {}

    def end(self, vpc: str, address: Address) -> Endpoint:
        """Where an address lies, seen from a VPC."""
        found = self._ends.get((vpc, address))
        if found is None:
            found = self._ends[vpc, address] = self.world.seen_from(vpc, address)
        return found

    def port(self, vpc: str, address: Address) -> Port | None:
        """The port that has an address, of the VPC or of a peer."""
        return self.world.port_at(self.end(vpc, address))

    def member_of(self, vpc: str, address: Address) -> frozenset[str]:
        """The groups by which rules of a VPC mean an address: a member's own, in peers where the profile says so."""
        port = self.port(vpc, address)
        if port is None or address not in port.addresses or vpc not in self.world.vpcs:
            return frozenset()
        reached = port.vpc == vpc or self.world.vpcs[vpc].profile.peer_references
        meant = reached and self.world.nic_of(port) is NicType.INTRANET
        return frozenset(port.groups) if meant else frozenset()

    def steps(self, connection: Connection) -> tuple[Step, ...] | None:
        """The stages on its way there; None if no flow is like it."""
        source, destination = (self.end(connection.vpc, it) for it in (connection.source, connection.destination))
        try:
            flow = connection.flow(source, destination)
        except NotationError:  # ICMP over IPv6, ICMPv6 over IPv4
            return None
        return self._policy.evaluate(flow).steps

    def allows(self, connection: Connection) -> bool:
        """Whether every stage on its way lets it begin."""
        steps = self.steps(connection)
        return steps is not None and all(step.action is Action.ALLOW for step in steps)

    def denial(self, connection: Connection) -> Step | None:
        """The first of the VPC's own stages that keeps state and denies it."""
        steps = self.steps(connection) or ()
        return next((it for it in steps if it.action is Action.DENY and self._is_ours(it, connection.vpc)), None)

    def _is_ours(self, step: Step, vpc: str) -> bool:
        if step.stage in _ACL_STAGES and not self.world.vpcs[vpc].profile.acl_stateful:
            return False
        return step.port is None or step.port.vpc == vpc


def named_groups(group: SecurityGroup | None) -> set[str]:
    """The groups that enabled rules of a group name."""
    rules = group.rules if group else ()
    return {rule.remote.name for rule in rules if rule.enabled and isinstance(rule.remote, GroupRemote)}
