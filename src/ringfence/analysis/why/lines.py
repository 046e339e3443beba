"""The lines that might have let a flow pass at the place that denied it: of groups, of a network ACL, of a firewall."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import islice

from ringfence.model.acl import AclRule, NetworkAcl
from ringfence.model.address import Prefix
from ringfence.model.port_list import resolved
from ringfence.model.rule import Action, Direction, Rule
from ringfence.model.service import ALL_PORTS, ICMP, ICMPV6
from ringfence.model.topology import Port
from ringfence.policy.decisions import Decision, from_acl_rule, from_rule, rule_nic
from ringfence.policy.evaluate import Policy
from ringfence.policy.matching import Asked, Respect, misses
from ringfence.policy.verdict import Stage, Step

_NEARBY = 16
"""So many groups are looked at that the port is not in: what is asked costs the same in a world of any size."""
_FEW = 1_000
"""A range of so many ports and more names none of them."""
_ECHOES = {ICMP, ICMPV6}


class Beside(StrEnum):
    """In what else a line may be beside a flow than in what it says of packets."""

    DIRECTION = "direction"
    INTERFACE = "interface"
    DISABLED = "disabled"
    PRIORITY = "priority"
    """It matches, and another line decides before it."""
    MEMBERSHIP = "membership"
    """It is in a group that the port is not in."""


Kind = Respect | Beside


@dataclass(frozen=True, slots=True)
class Gate:
    """A place that denied a flow: the step, what its lines were asked, and the direction of those that it asks.

    ``answer`` is whether the packet that it judged is the first answer.
    """

    policy: Policy
    step: Step
    asked: Asked
    direction: Direction | None
    answer: bool = False

    @classmethod
    def of(cls, policy: Policy, step: Step, asked: Asked, *, inward: bool, answer: bool = False) -> Gate | None:
        """The gate of a step that asks lines; None where it asks something else."""
        if step.stage is Stage.PEERING:  # its lines have no direction
            return cls(policy, step, asked, None, answer)
        if step.stage in (Stage.LOCAL, Stage.PLATFORM, Stage.ROUTE):
            return None
        return cls(policy, step, asked, Direction.INGRESS if inward else Direction.EGRESS, answer)

    @property
    def is_of_groups(self) -> bool:
        """Whether security groups judge here."""
        return self.step.stage in (Stage.EGRESS, Stage.INGRESS)

    @property
    def acl(self) -> NetworkAcl | None:
        """The network ACL that judges here, if one does."""
        subnet = self.asked.near.subnet
        return self.policy.world.acls[subnet.acl] if subnet and not self.is_of_groups else None

    @property
    def lines(self) -> tuple[AclRule, ...]:
        """The lines of the ACL or the firewall, in their order."""
        world = self.policy.world
        match self.step.stage:
            case Stage.ACL_EGRESS | Stage.ACL_INGRESS:
                return self.acl.rules if self.acl else ()
            case Stage.BORDER:
                return world.vpcs[self.step.place].border
            case Stage.PEERING:
                return world.peerings[self.step.place].firewall
        return ()


@dataclass(frozen=True, slots=True)
class Line:
    """A line that allows, and the kinds of difference that keep it from letting the flow pass here.

    ``names_it`` is whether it names the very service that is asked for, not only all of them. ``elsewhere`` is whether
    it is for a part of the other address family, not for all of it.
    """

    owner: str
    rule_id: str
    rule: Rule | AclRule
    kinds: tuple[Kind, ...]
    names_it: bool
    elsewhere: bool

    @property
    def is_near(self) -> bool:
        """Whether it is worth a word: it differs in one respect, or in two and names the very service.

        What leads the other way is as near only if it names the service: nearly every group lets everything out.
        """
        if Beside.DIRECTION in self.kinds and not self.names_it:
            return False
        return len(self.kinds) <= 1 or (len(self.kinds) == 2 and self.names_it)


def lines_at(gate: Gate) -> Iterator[Line]:
    """Every line of the place that allows something, with what keeps it from allowing the flow."""
    if not gate.is_of_groups:
        owner = gate.acl.name if gate.acl else gate.step.group
        allowing = (rule for rule in gate.lines if rule.action is Action.ALLOW)
        yield from (_line(gate, owner, it.id_in(owner), it, from_acl_rule(owner, "", it)) for it in allowing)
        return
    port = gate.asked.near.port
    assert port
    for name in port.groups:
        yield from _of_group(gate, name)
    for name in nearby(gate.policy, port):
        matching = (line for line in _of_group(gate, name) if line.kinds == (Beside.PRIORITY,))
        yield from (replace(line, kinds=(Beside.MEMBERSHIP,)) for line in matching)


def nearby(policy: Policy, port: Port) -> Mapping[str, str]:
    """Groups that a port may well be meant to be in, each with a port that is: one of its instance, or of its like.

    Its like are ports of its VPC that are in all of its groups and in one more.
    """
    world, own = policy.world, set(port.groups)
    instance = world.instances.get(port.instance)
    found: dict[str, str] = {}
    for each in instance.ports if instance else ():
        if each.vpc == port.vpc:
            found |= {name: str(each) for name in each.groups if name not in own}
    rarest = min(own, key=lambda name: (len(world.members.kinds(name)), name), default="")
    for kind, members in world.members.kinds(rarest).items():
        more, attached = set(kind.groups) - own, [".".join(it) for it in members if it[0]]
        if kind.vpc == port.vpc and len(more) == 1 and own < set(kind.groups) and attached:
            name = more.pop()
            found[name] = min(*attached, found.get(name, attached[0]))
    return dict(islice(sorted(found.items()), _NEARBY))


def _of_group(gate: Gate, name: str) -> Iterator[Line]:
    world = gate.policy.world
    for rule_id, rule in world.groups[name].by_id.items():
        if rule.action is Action.ALLOW:
            ports = resolved(rule.ports, world.port_lists)
            decision = from_rule(name, rule_id, rule, ALL_PORTS if ports is None else ports)
            yield _line(gate, name, rule_id, rule, decision, has_ports=ports is not None)


def _line(
    gate: Gate, owner: str, rule_id: str, rule: Rule | AclRule, decision: Decision, *, has_ports: bool = True
) -> Line:
    kinds: list[Kind] = [*_beside(gate, rule), *_respects(decision, gate.asked)]
    if not has_ports and Respect.PORT not in kinds:
        kinds.append(Respect.PORT)
    names_it = _names(decision, gate.asked) and Respect.PORT not in kinds
    sides = (side for side in (decision.remote, decision.local) if isinstance(side, Prefix) and side.length)
    elsewhere = any(side.family is not gate.asked.family for side in sides)
    return Line(owner, rule_id, rule, tuple(kinds) or (Beside.PRIORITY,), names_it, elsewhere)


def _beside(gate: Gate, rule: Rule | AclRule) -> Iterator[Beside]:
    if rule.direction is not gate.direction:
        yield Beside.DIRECTION
    if not rule.enabled or (gate.acl and not gate.acl.enabled):
        yield Beside.DISABLED
    near = gate.asked.near
    if not (isinstance(rule, Rule) and near.port and near.vpc):
        return
    if rule_nic(near.vpc, rule) is not gate.policy.world.nic_of(near.port):
        yield Beside.INTERFACE


def _respects(decision: Decision, asked: Asked) -> Iterable[Respect]:
    """In what the flow differs, as people count: what one change mends is one difference."""
    found = dict.fromkeys(misses(decision, asked))
    if Respect.PROTOCOL in found:
        is_echo = asked.number in _ECHOES and decision.protocol.number in _ECHOES
        found.pop(Respect.PROTOCOL if is_echo else Respect.FAMILY, None)
        portless = asked.flow.service.protocol.has_ports is not decision.protocol.has_ports
        if portless and (decision.ports or not decision.protocol.has_ports):
            found[Respect.PORT] = None
    for respect, side in ((Respect.LOCAL, decision.local), (Respect.REMOTE, decision.remote)):
        if respect in found and isinstance(side, Prefix) and side.family is not asked.family:
            found[Respect.FAMILY] = None
            del found[respect]
    return sorted(found, key=list(Respect).index)


def _names(decision: Decision, asked: Asked) -> bool:
    if asked.flow.service.protocol.has_ports:
        port = asked.flow.service.port
        return any(port in ports and ports.last - ports.first < _FEW for ports in decision.ports.ranges if port)
    number = decision.protocol.number
    return number == asked.number or (number in _ECHOES and asked.number in _ECHOES)
