"""The evaluator: what becomes of the first packet of a flow, and why. SEMANTICS.md sections 2, 4 and 5 are its text."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from functools import partial

from ringfence.model.flow import Endpoint, Flow
from ringfence.model.rule import Action, Direction
from ringfence.model.topology import Subnet, Vpc
from ringfence.model.world import World
from ringfence.policy.decisions import (
    Decision,
    PolicyClass,
    acl_decisions,
    border_decisions,
    class_of,
    decisions,
    peering_decisions,
)
from ringfence.policy.matching import Asked, End, missed
from ringfence.policy.platform import carrier_steps, platform_steps
from ringfence.policy.verdict import Late, Stage, Step, Verdict


def evaluate(world: World, flow: Flow) -> Verdict:
    """Judge one flow. For many flows of one world, keep a `Policy`."""
    return Policy(world).evaluate(flow)


class Policy:
    """A world's policy, ready to judge many flows: it remembers each decision list that it has put in order."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._lists: dict[Hashable, tuple[Decision, ...]] = {}

    def decisions(self, of: PolicyClass, direction: Direction) -> tuple[Decision, ...]:
        """The decision list of the ports of a class."""
        world = self.world
        make = partial(decisions, world.vpcs[of.vpc], world.groups, world.port_lists, of, direction)
        return self._listed((of, direction), make)

    def acl(self, subnet: Subnet, direction: Direction) -> tuple[Decision, ...]:
        """The decision list of the network ACL of a subnet; nothing if it has none."""
        if not subnet.acl:
            return ()
        acl, profile = self.world.acls[subnet.acl], self.world.vpcs[subnet.vpc].profile
        return self._listed((subnet.vpc, acl.name, direction), partial(acl_decisions, acl, profile, direction))

    def border(self, vpc: Vpc, direction: Direction) -> tuple[Decision, ...]:
        """The decision list of the firewall between a VPC and the internet; nothing if it has none."""
        return self._listed((vpc.name, direction), partial(border_decisions, vpc, direction))

    def peering(self, one: str, two: str) -> tuple[Decision, ...]:
        """The decision list of the firewall between two VPCs; nothing if there is none."""
        found = self.world.peering(one, two)
        return self._listed(found.name, partial(peering_decisions, found)) if found else ()

    def _listed(self, key: Hashable, make: partial[tuple[Decision, ...]]) -> tuple[Decision, ...]:
        if key not in self._lists:
            self._lists[key] = make()
        return self._lists[key]

    def evaluate(self, flow: Flow) -> Verdict:
        """Judge one flow: every stage of its path is asked, also after one has denied."""
        source, destination = self.ends(flow)
        if source.port and destination.port and source.port.guest == destination.port.guest:
            text = f"both ends are in {source.port.instance}: the packet does not leave the guest, no group sees it"
            return Verdict(flow, (Step(Stage.LOCAL, Action.ALLOW, source.port, "", "same-instance", text),))
        steps = (
            *platform_steps(self.world, flow, source.port, destination.port),
            *carrier_steps(flow, source.vpc, destination.vpc),
            *self._on_the_way(flow, source, destination),
        )
        return Verdict(flow, steps, tuple(self._on_the_way_back(flow, source, destination)))

    def ends(self, flow: Flow) -> tuple[End, End]:
        """Whose the two ends of a flow are, its source first."""
        return self._end(flow.source, flow.destination), self._end(flow.destination, flow.source)

    def _end(self, endpoint: Endpoint, other: Endpoint) -> End:
        """Whose an endpoint is. An address of nobody lies where the other end would look for it: near it first."""
        port = self.world.port_at(endpoint)
        if port:
            return End(endpoint.address, port, self.world.vpcs[port.vpc], self.world.subnet_of(port))
        if endpoint.vpc:
            return End(endpoint.address, None, self.world.vpcs[endpoint.vpc], None)
        near = [other.vpc, *self.world.peers_of(other.vpc)] if other.vpc else []
        vpcs = (self.world.vpcs[name] for name in (*near, *self.world.vpcs))
        return End(endpoint.address, None, next((vpc for vpc in vpcs if endpoint.address in vpc), None), None)

    def _on_the_way(self, flow: Flow, source: End, destination: End) -> Iterator[Step]:
        if source.port:
            yield self._gate(flow, Direction.EGRESS, source, destination)
            yield from self._acl(flow, Direction.EGRESS, source, destination)
        yield from self._between(flow, source, destination)
        if blocked := self._no_route(source, destination):
            yield blocked
        elif destination.port:
            yield from self._acl(flow, Direction.INGRESS, destination, source)
            yield self._gate(flow, Direction.INGRESS, destination, source)
        elif not source.port:
            text = "both ends are outside of every VPC: no group is on the path"
            yield Step(Stage.ROUTE, Action.ALLOW, None, "", "outside", text)

    def _on_the_way_back(self, flow: Flow, source: End, destination: End) -> Iterator[Step]:
        """Stateless ACLs judge the answer too."""
        for direction, near, far in ((Direction.EGRESS, destination, source), (Direction.INGRESS, source, destination)):
            if near.port and near.vpc and not near.vpc.profile.acl_stateful and not self._no_route(source, destination):
                yield from self._acl(flow.back, direction, near, far)

    def _between(self, flow: Flow, source: End, destination: End) -> Iterator[Step]:
        """The firewalls between a VPC and another one, or the internet."""
        if source.vpc and destination.vpc:
            listed = self.peering(source.vpc.name, destination.vpc.name) if source.port else ()
            found = self.world.peering(source.vpc.name, destination.vpc.name)
            yield from self._firewall(flow, Stage.PEERING, listed, Direction.EGRESS, found.name if found else "")
        elif source.port and source.vpc:
            listed = self.border(source.vpc, Direction.EGRESS)
            yield from self._firewall(flow, Stage.BORDER, listed, Direction.EGRESS, source.vpc.name)
        elif destination.vpc and not source.vpc:
            listed = self.border(destination.vpc, Direction.INGRESS)
            yield from self._firewall(flow, Stage.BORDER, listed, Direction.INGRESS, destination.vpc.name)

    def _no_route(self, source: End, destination: End) -> Step | None:
        """The route's step where it denies: there is no way between the ends, or nobody at one of them."""
        for end in (source, destination):
            if end.vpc and not end.port:
                text = f"{end.address} lies in VPC {end.vpc}, and no port has it"
                return Step(Stage.ROUTE, Action.DENY, None, "", "no-such-address", text)
        one, two = source.vpc, destination.vpc
        if one and two and one is not two and not self.world.peering(one.name, two.name):
            text = f"VPC {one} and VPC {two} are not connected: there is no peering between them"
            return Step(Stage.ROUTE, Action.DENY, None, "", "no-route", text)
        return None

    def _gate(self, flow: Flow, direction: Direction, near: End, far: End) -> Step:
        """Ask the groups of one port about one direction."""
        assert near.port is not None
        assert near.vpc is not None
        listed = self.decisions(class_of(near.vpc, near.port), direction)
        return self._step(Stage(direction.value), listed, flow, near, far, str(near.port))

    def _acl(self, flow: Flow, direction: Direction, near: End, far: End) -> Iterator[Step]:
        """Ask the network ACL of a subnet; nothing inside one subnet concerns it (SEMANTICS.md 4.4)."""
        assert near.subnet is not None
        inside = far.vpc is near.vpc and far.address in near.subnet
        if listed := () if inside else self.acl(near.subnet, direction):
            stage = Stage.ACL_EGRESS if direction is Direction.EGRESS else Stage.ACL_INGRESS
            yield self._step(stage, listed, flow, near, far, str(near.subnet))

    def _firewall(
        self, flow: Flow, stage: Stage, listed: tuple[Decision, ...], direction: Direction, place: str
    ) -> Iterator[Step]:
        ends = [End(endpoint.address, None, None, None) for endpoint in (flow.source, flow.destination)]
        near, far = ends if direction is Direction.EGRESS else reversed(ends)
        if listed:
            yield self._step(stage, listed, flow, near, far, place)

    def _step(self, stage: Stage, listed: tuple[Decision, ...], flow: Flow, near: End, far: End, place: str) -> Step:
        asked = Asked.of(self.world, flow, near, far)
        matching = [decision for decision in listed if missed(decision, asked) is None]
        first, *others = matching  # the default at the end of each list matches everything
        late = tuple(Late(other.owner, other.rule_id, other.text) for other in others if other.owner)
        return Step(stage, first.action, near.port, first.owner, first.rule_id, first.text, late, place)
