"""The evaluator: what becomes of the first packet of a flow, and why. SEMANTICS.md section 2 is its text."""

from __future__ import annotations

from ringfence.model.address import Address, Prefix
from ringfence.model.flow import Endpoint, Flow
from ringfence.model.rule import Action, AddressGroupRemote, AnyRemote, Direction, Remote
from ringfence.model.service import Service
from ringfence.model.topology import Port
from ringfence.model.world import World
from ringfence.policy.decisions import Decision, decisions, policy_groups
from ringfence.policy.verdict import Late, Stage, Step, Verdict


def evaluate(world: World, flow: Flow) -> Verdict:
    """Judge one flow. For many flows of one world, keep a `Policy`."""
    return Policy(world).evaluate(flow)


class Policy:
    """A world's policy, ready to judge many flows: it remembers each decision list that it has put in order."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._lists: dict[tuple[str, tuple[str, ...], Direction], tuple[Decision, ...]] = {}

    def decisions(self, vpc: str, groups: tuple[str, ...], direction: Direction) -> tuple[Decision, ...]:
        """The decision list of ports of ``vpc`` with these `policy_groups`."""
        key = (vpc, groups, direction)
        if key not in self._lists:
            self._lists[key] = decisions(self.world, vpc, groups, direction)
        return self._lists[key]

    def evaluate(self, flow: Flow) -> Verdict:
        """Judge one flow: every stage of its path is asked, also after one has denied."""
        source, destination = self.world.port_at(flow.source), self.world.port_at(flow.destination)
        if source and destination and source.instance == destination.instance:
            text = f"both ends are ports of {source.instance}: the packet stays in the guest, no group sees it"
            return Verdict(flow, (Step(Stage.LOCAL, Action.ALLOW, source, "", "same-instance", text),))
        connected = source and destination and source.vpc == destination.vpc
        steps = []
        if source:
            peer = destination if connected else None
            steps.append(self._gate(source, Direction.EGRESS, flow.destination, peer, flow.service))
        if way := self._way(flow, source, destination):
            steps.append(way)
        elif destination:
            peer = source if connected else None
            steps.append(self._gate(destination, Direction.INGRESS, flow.source, peer, flow.service))
        return Verdict(flow, tuple(steps))

    def _way(self, flow: Flow, source: Port | None, destination: Port | None) -> Step | None:
        """The route's step where it decides: there is no way between the ends, or none that a group guards."""
        if source and destination and source.vpc != destination.vpc:
            text = f"VPC {source.vpc} and VPC {destination.vpc} are not connected"
            return Step(Stage.ROUTE, Action.DENY, None, "", "no-route", text)
        for endpoint, port in ((flow.source, source), (flow.destination, destination)):
            if not port and (vpc := self._space_of(endpoint.address)):
                text = f"{endpoint.address} lies in VPC {vpc}, and no port has it"
                return Step(Stage.ROUTE, Action.DENY, None, "", "no-such-address", text)
        if not source and not destination:
            text = "both ends are outside of every VPC: no group is on the path"
            return Step(Stage.ROUTE, Action.ALLOW, None, "", "outside", text)
        return None

    def _space_of(self, address: Address) -> str:
        vpcs = self.world.vpcs.values()
        return next((vpc.name for vpc in vpcs if any(address in cidr for cidr in vpc.cidrs)), "")

    def _gate(self, port: Port, direction: Direction, remote: Endpoint, peer: Port | None, service: Service) -> Step:
        """Ask the groups of one port about one direction."""
        matching = [
            decision
            for decision in self.decisions(port.vpc, policy_groups(self.world, port), direction)
            if self._matches(decision, remote.address, peer, service)
        ]
        first, *others = matching  # the default at the end of each list matches everything
        late = tuple(Late(other.group, other.rule_id, other.text) for other in others if other.group)
        return Step(Stage(direction.value), first.action, port, first.group, first.rule_id, first.text, late)

    def _matches(self, decision: Decision, address: Address, peer: Port | None, service: Service) -> bool:
        return (
            decision.protocol.covers(service.number)
            and address.family in decision.protocol.families
            and (service.port is None or service.port in decision.ports)
            and self._is_remote(decision.remote, address, peer)
        )

    def _is_remote(self, remote: Remote, address: Address, peer: Port | None) -> bool:
        """Whether an address is meant; a group means its members' addresses (SEMANTICS.md section 5)."""
        if isinstance(remote, AnyRemote):
            return True
        if isinstance(remote, Prefix):
            return address in remote
        if isinstance(remote, AddressGroupRemote):
            return any(address in entry for entry in self.world.address_groups[remote.name].entries)
        return peer is not None and remote.name in peer.groups
