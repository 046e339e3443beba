"""A machine that runs the `VpcPlan`s of a world in the plainest way: what any backend must do, in eighty lines."""

from __future__ import annotations

from ringfence.compile.boxes import Box, Kind
from ringfence.compile.plan import OUTSIDE_CLASS, Gate, Plan, VpcPlan
from ringfence.model.address import Address
from ringfence.model.flow import Flow
from ringfence.model.rule import Direction
from ringfence.policy.verdict import Stage, Step


class Machine:
    """The plan of one VPC, ready to judge flows that cross it."""

    def __init__(self, plan: VpcPlan) -> None:
        self.plan = plan
        self._classes = {entry.id: entry for entry in plan.classes}
        self._ports = {port.name: port for port in plan.ports}
        self._members = {address: member.class_id for member in plan.members for address in member.addresses}
        self._subnets = {subnet.number: subnet for subnet in plan.subnets}
        self._acls = {acl.name: acl for acl in plan.acls}

    def gate(self, direction: Direction, port: str) -> Gate:
        """The groups of a port."""
        return self._classes[self._ports[port].class_id].gates[direction]

    def acl(self, direction: Direction, port: str) -> Gate:
        """The network ACL of a port's subnet."""
        return self._acls[self._subnets[self._ports[port].subnet].acl].gates[direction]

    def judge(self, gate: Gate, flow: Flow, local: Address, remote: Address) -> Box:
        """The first box that holds a flow, layer by layer; with TCP and UDP it must name its source port."""
        assert flow.source_port is not None or not flow.service.protocol.has_ports
        kind = Kind(flow.family, flow.service.port is not None)
        peer = self._members.get(remote, OUTSIDE_CLASS)
        point = (peer, remote.value, flow.service.number, flow.service.port or 0, local.value, flow.source_port or 0)
        return next(
            box
            for layer in gate[kind]
            for box in layer
            if _holds(box, point) and self._is_in(remote, box.remote_group) and self._is_in(local, box.local_group)
        )

    def _is_in(self, address: Address, group: str) -> bool:
        return not group or any(address in prefix for prefix in self.plan.address_groups[group])


def _holds(box: Box, point: tuple[int, ...]) -> bool:
    return all(first <= value <= last for (first, last), value in zip(box.intervals, point, strict=True))


def box_of(plan: Plan, step: Step, flow: Flow) -> Box:
    """What the plans say at a stage of a flow."""
    source, destination = flow.source, flow.destination
    if step.stage is Stage.BORDER:
        machine = Machine(plan.vpcs[step.place])
        direction = Direction.EGRESS if source.vpc == step.place else Direction.INGRESS
        gate = machine.plan.border[direction]
    elif step.stage is Stage.PEERING:
        machine, direction = Machine(plan.vpcs[source.vpc]), Direction.EGRESS
        found = next(peer for peer in machine.plan.peers if peer.vpc == destination.vpc)
        assert found.gate is not None
        gate = found.gate
    else:
        direction = Direction.EGRESS if step.stage in (Stage.EGRESS, Stage.ACL_EGRESS) else Direction.INGRESS
        machine = Machine(plan.vpcs[(source if direction is Direction.EGRESS else destination).vpc])
        by_groups = step.stage in (Stage.EGRESS, Stage.INGRESS)
        gate = (machine.gate if by_groups else machine.acl)(direction, str(step.port))
    ends = (source.address, destination.address)
    local, remote = ends if direction is Direction.EGRESS else reversed(ends)
    return machine.judge(gate, flow, local, remote)
