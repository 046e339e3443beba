"""A machine that runs a `VpcPlan` in the plainest way: what any backend must do, in thirty lines."""

from __future__ import annotations

from typing import NamedTuple

from ringfence.compile.boxes import Box, Kind
from ringfence.compile.plan import OUTSIDE_CLASS, PortPlan, VpcPlan
from ringfence.model.address import Address
from ringfence.model.flow import Flow
from ringfence.model.rule import Action, Direction


class Said(NamedTuple):
    """What one gate said."""

    direction: Direction
    action: Action
    rule_id: str


class Machine:
    """The plan of one VPC, ready to judge flows that cross it."""

    def __init__(self, plan: VpcPlan) -> None:
        self._classes = {entry.id: entry for entry in plan.classes}
        self._owners = {address: port for port in plan.ports for address in port.addresses}

    def walk(self, flow: Flow) -> list[Said]:
        """Ask the gate of each end that is a port: the sender's outwards, then the receiver's inwards."""
        source, destination = flow.source.address, flow.destination.address
        ends = ((Direction.EGRESS, source, destination), (Direction.INGRESS, destination, source))
        return [
            self._gate(self._owners[own], direction, remote, flow)
            for direction, own, remote in ends
            if own in self._owners
        ]

    def _gate(self, port: PortPlan, direction: Direction, remote: Address, flow: Flow) -> Said:
        peer = self._owners.get(remote)
        kind = Kind(flow.family, flow.service.port is not None)
        point = (peer.class_id if peer else OUTSIDE_CLASS, remote.value, flow.service.number, flow.service.port or 0)
        layers = self._classes[port.class_id].gates[direction][kind]
        box = next(box for layer in layers for box in layer if _holds(box, point))
        return Said(direction, box.action, box.rule_id)


def _holds(box: Box, point: tuple[int, int, int, int]) -> bool:
    return all(first <= value <= last for (first, last), value in zip(box.intervals, point, strict=True))
