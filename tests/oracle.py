"""The oracle of the differential tests: a second evaluator, slow and obvious, written from SEMANTICS.md alone.

It shares no code with `ringfence.policy` or `ringfence.compile`, and of the model it reads plain fields only: no
matching helper, no index, no cached property. So a mistake in one of the two shows as a difference between them.
Section numbers are those of SEMANTICS.md; section 13 decides where another leaves a choice. Where it is silent, these
are decided:

* The order of judgement is that of `_stages`. What stays in one guest is judged by nobody; then come the platform's
  blocks, which are stronger than any rule; then the path from the source to the destination.
* A stateful ACL judges the first packet only, a stateless one the answer as well (`allowed` asks that, `arrives` does
  not). Firewalls keep state. An ACL that is disabled denies all but its fixed rules.
* Where nobody names a source port it is any ephemeral one, 32768 to 60999, and a list of ports means it only if it has
  that whole range.
* A virtual IP's packets are those of its active port, but its address is no member of any group.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ringfence.model.acl import AclRule
from ringfence.model.flow import Flow
from ringfence.model.service import ServiceSet
from ringfence.model.topology import Port, Vpc
from ringfence.model.world import World
from tests.oracle_groups import judged_by_groups
from tests.oracle_match import (
    Judgement,
    Packet,
    Way,
    ip_of,
    is_about,
    is_in,
    is_outside,
    is_side,
    peering_of,
    port_with,
)


def arrives(world: World, flow: Flow) -> bool:
    """Whether the first packet of the flow reaches its destination."""
    return _first_denial(_stages(world, _packet(flow))) is None


def allowed(world: World, flow: Flow) -> bool:
    """Whether the first packet reaches its destination and the answer to it comes back."""
    return arrives(world, flow) and _first_denial(_stages_back(world, _packet(flow))) is None


def reason(world: World, flow: Flow) -> str:
    """Why the flow is allowed or denied, in a few words: ``egress: web-1.eth0: sg-web, rule 3, says deny``.

    For an allowed one it is what the last stage of the way there says; what an answer fails at begins with ``back,``.
    """
    there = list(_stages(world, _packet(flow)))
    denial = _first_denial(there)
    if denial is not None:
        return denial.reason
    denial = _first_denial(_stages_back(world, _packet(flow)))
    return f"back, {denial.reason}" if denial is not None else there[-1].reason


def _first_denial(stages: Iterable[Judgement]) -> Judgement | None:
    for judgement in stages:
        if not judgement.allowed:
            return judgement
    return None


def _packet(flow: Flow) -> Packet:
    number = flow.service.protocol.number
    assert number is not None
    return Packet(flow.source, flow.destination, number, flow.source_port, flow.service.port)


def _stages(world: World, packet: Packet) -> Iterator[Judgement]:
    """Section 4.4: everything on the way of the first packet, in its order; all must allow."""
    source, destination = port_with(world, packet.source), port_with(world, packet.destination)

    if _stays_in_guest(source, destination):
        yield Judgement(True, "local: stays in the guest")
        return

    yield from _platform_blocks(world, packet, source, destination)

    # A host outside has no security group, ACL or firewall of its own.
    if source is not None:
        yield judged_by_groups(world, source, "egress", packet)
        yield from _acl(world, source, "egress", packet)
        yield from _way_out(world, source.vpc, packet)
    yield _route(world, packet, source, destination)
    if destination is not None:
        if is_outside(world, packet.source):
            yield _border(world, world.vpcs[destination.vpc], "ingress", packet)
        yield from _acl(world, destination, "ingress", packet)
        yield judged_by_groups(world, destination, "ingress", packet)


def _stages_back(world: World, packet: Packet) -> Iterator[Judgement]:
    """4.2: the answer's way, which only stateless ACLs judge; it starts at the destination, with the ports swapped."""
    source, destination = port_with(world, packet.source), port_with(world, packet.destination)
    if _stays_in_guest(source, destination):
        return
    answer = Packet(packet.destination, packet.source, packet.protocol, packet.port, packet.source_port)
    if destination is not None and not world.vpcs[destination.vpc].profile.acl_stateful:
        yield from _acl(world, destination, "egress", answer)
    if source is not None and not world.vpcs[source.vpc].profile.acl_stateful:
        yield from _acl(world, source, "ingress", answer)


def _stays_in_guest(source: Port | None, destination: Port | None) -> bool:
    """Section 5: between two interfaces of one instance nothing leaves, if no namespaces of the guest divide them."""
    if source is None or destination is None:
        return False
    return (source.instance, source.namespace) == (destination.instance, destination.namespace)


# ---- the platform, the way, firewalls and ACLs


def _platform_blocks(
    world: World, packet: Packet, source: Port | None, destination: Port | None
) -> Iterator[Judgement]:
    """4.5: what no rule can open."""
    for port in (source, destination):
        if port is not None:
            for penalty in world.penalties.values():
                if penalty.target == port.instance or penalty.target == f"{port.instance}.{port.name}":
                    yield Judgement(False, f"platform: {penalty.target} is cut off")

    # 13.10: a port may not send it to anybody.
    if source is not None and _lists(world.vpcs[source.vpc].profile.blocked_egress, packet):
        yield Judgement(False, f"platform: nobody may send to port {packet.port}")

    # 4.5: what the carriers drop between a VPC and the internet, either way.
    for port, other in ((source, packet.destination), (destination, packet.source)):
        if port is None or not is_outside(world, other):
            continue
        if _lists(world.vpcs[port.vpc].profile.carrier_blocks, packet):
            yield Judgement(False, f"platform: carriers block port {packet.port}")


def _lists(services: ServiceSet, packet: Packet) -> bool:
    return any(
        protocol.number == packet.protocol and packet.port is not None and ports.first <= packet.port <= ports.last
        for protocol, ports in services.ranges
    )


def _route(world: World, packet: Packet, source: Port | None, destination: Port | None) -> Judgement:
    """Section 5: no route, no effect of groups."""
    # Nobody sends from, or receives at, an address of a VPC's space that no port has.
    for port, end in ((source, packet.source), (destination, packet.destination)):
        if port is None and not is_outside(world, end):
            return Judgement(False, f"route: nobody has {ip_of(end.address)}")

    # Different VPCs have no connectivity until there is a peering between them.
    if source is None or destination is None or source.vpc == destination.vpc:
        return Judgement(True, "route: there is a way")
    if peering_of(world, source.vpc, destination.vpc) is None:
        return Judgement(False, f"route: no path from VPC {source.vpc} to VPC {destination.vpc}")
    return Judgement(True, "route: there is a way")


def _way_out(world: World, vpc: str, packet: Packet) -> Iterator[Judgement]:
    """4.3: the firewall on the peering that leads to the destination, or the one at the internet border."""
    if is_outside(world, packet.destination):
        yield _border(world, world.vpcs[vpc], "egress", packet)
    for other in world.vpcs.values():
        peering = peering_of(world, vpc, other.name)
        in_its_space = any(is_in(packet.destination.address, cidr) for cidr in other.cidrs)
        if peering is not None and packet.destination.vpc in ("", other.name) and in_its_space:
            # Its rules have no direction: source and destination are the packet's, whichever side it comes from.
            where = f"peering: {peering.name}"
            found = _first_match(world, where, peering.firewall, None, packet)
            yield found or Judgement(True, f"{where}, allow by default")


def _border(world: World, vpc: Vpc, way: Way, packet: Packet) -> Judgement:
    """4.3: the firewall between a VPC and the internet; what matches no rule of it passes."""
    where = f"border {way}: {vpc.name}"
    return _first_match(world, where, vpc.border, way, packet) or Judgement(True, f"{where}, allow by default")


def _acl(world: World, port: Port, way: Way, packet: Packet) -> Iterator[Judgement]:
    """4.1, 4.2: the network ACL at the edge of the port's subnet, if there is one."""
    vpc = world.vpcs[port.vpc]
    subnet = vpc.subnets[port.subnet]
    if not subnet.acl:
        return
    acl = world.acls[subnet.acl]
    where = f"acl {way}: {subnet.name}: {acl.name}"

    # Traffic inside one subnet does not cross its edge.
    other = packet.destination if way == "egress" else packet.source
    for prefix in (subnet.cidr, subnet.cidr6):
        if prefix is not None and other.vpc == port.vpc and is_in(other.address, prefix):
            return

    # The fixed rules; then the ACL's own, void while it is disabled; then everything is denied.
    fixed = [AclRule.parse(text) for text in vpc.profile.acl_exempt]
    found = _first_match(world, f"{where}, fixed", fixed, way, packet)
    if found is None and acl.enabled:
        found = _first_match(world, where, acl.rules, way, packet)
    yield found or Judgement(False, f"{where}, deny by default")


def _first_match(
    world: World, where: str, rules: Iterable[AclRule], way: Way | None, packet: Packet
) -> Judgement | None:
    """4.1 to 4.3: rules count in the order in which they stand; 1.1: a disabled one is not evaluated."""
    for number, rule in enumerate(rules, start=1):
        if (
            rule.enabled
            and rule.direction == way
            and is_about(world, rule, packet)
            and is_side(world, rule.source, packet.source.address)
            and is_side(world, rule.destination, packet.destination.address)
        ):
            says = rule.action.value
            return Judgement(says == "allow", f"{where}, rule {number}, says {says}")
    return None
