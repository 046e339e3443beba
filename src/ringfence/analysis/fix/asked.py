"""A flow in a world that some edits have led to: who is at its ends, and what a rule would have to say to mean it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from ringfence.model.acl import AclRule
from ringfence.model.address import Address, Prefix
from ringfence.model.flow import EPHEMERAL, Endpoint, Flow
from ringfence.model.port_list import resolved
from ringfence.model.rule import AddressGroupRemote, Direction, GroupRemote, Remote, Rule
from ringfence.model.service import ALL_PORTS, PortRange, PortSet
from ringfence.model.topology import Port
from ringfence.model.world import World
from ringfence.policy.evaluate import Policy
from ringfence.policy.verdict import Step, Verdict


@dataclass(frozen=True)
class Asked:
    """A flow in a world, judged."""

    world: World
    flow: Flow

    @cached_property
    def verdict(self) -> Verdict:
        """What `evaluate` says."""
        return Policy(self.world).evaluate(self.flow)

    def ends(self, direction: Direction) -> tuple[Endpoint, Endpoint]:
        """The near and the far end, seen from the gate that judges a direction."""
        pair = self.flow.source, self.flow.destination
        return pair if direction is Direction.EGRESS else (pair[1], pair[0])

    def port(self, end: Endpoint) -> Port | None:
        """The port at an end."""
        return self.world.port_at(end)

    def is_about(self, rule: Rule) -> bool:
        """Whether a rule means the flow's service, whatever it says of the far end, and of being in force."""
        ports = resolved(rule.ports, self.world.port_lists)
        return (
            rule.protocol.covers(self.flow.service.number)
            and self.flow.family in rule.families
            and ports is not None
            and self.flow.goes_to(ports)
            and (not rule.source_ports or self.flow.comes_from(rule.source_ports))
        )

    def means(self, side: Remote, end: Endpoint) -> bool:
        """Whether a side of a rule or line means an end."""
        if isinstance(side, Prefix):
            return end.address in side
        if isinstance(side, AddressGroupRemote):
            return any(end.address in entry for entry in self.world.address_groups[side.name].entries)
        if isinstance(side, GroupRemote):
            port = self.port(end)
            return port is not None and side.name in port.groups
        return True

    def lists_with(self, address: Address) -> list[str]:
        """The address groups that have an address."""
        found = self.world.address_groups.values()
        return [it.name for it in found if any(address in entry for entry in it.entries)]


def service_ports(flow: Flow) -> PortSet:
    """The flow's destination port; none where it has none."""
    if not flow.service.protocol.has_ports:
        return ALL_PORTS
    port = flow.service.port
    return PortSet((EPHEMERAL if port is None else PortRange(port, port),))


def source_ports(flow: Flow) -> PortSet:
    """The port that an answer comes from; none where the flow names none, as programs choose theirs."""
    port = flow.source_port
    return ALL_PORTS if port is None else PortSet((PortRange(port, port),))


def matched_ids(step: Step) -> list[tuple[str, str]]:
    """The rules and lines that matched at a stage, in their order: whose they are, and their ids."""
    return [(step.group, step.rule_id), *((late.group, late.rule_id) for late in step.late)]


def is_line_about(line: AclRule, flow: Flow) -> bool:
    """Whether a line means a flow's service, whatever it says of the ends."""
    return (
        line.protocol.covers(flow.service.number)
        and flow.family in line.families
        and flow.goes_to(line.ports)
        and (not line.source_ports or flow.comes_from(line.source_ports))
    )
