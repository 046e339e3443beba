"""The sets and maps of a VPC's table that have an element for each port, address, class, or prefix of a group."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ringfence.backends.nftables.gates import ADDRESS
from ringfence.backends.nftables.names import UPLINK, address_set, class_chain, peer_link, port_link, subnet_chain
from ringfence.backends.nftables.ruleset import Element, Field, Key, NftSet
from ringfence.compile.plan import ELSEWHERE_CLASS, MemberPlan, PortPlan, VpcPlan
from ringfence.model.address import Prefix
from ringfence.model.rule import Direction

LINKS, SUBNETS = "links", "subnets"
"""The maps from the link of a port to the number of its class, and to that of its subnet."""
ACL = {Direction.EGRESS: "acl-out", Direction.INGRESS: "acl-in"}
"""The maps from the number of a subnet to the chain of its ACL."""
PENALISED, FTP = "penalised", "ftp"
"""The sets of links of ports that are cut off, and that have the helper."""
ELSEWHERE = "from-elsewhere"
"""The chain for what comes from a peer or from outside."""


def address_sets(groups: Mapping[str, Iterable[Prefix]]) -> dict[str, NftSet]:
    """The address groups: a hash set for each length of prefix, so that an entry comes and goes at its own cost."""
    sets: dict[str, dict[Key, Element]] = {}
    types: dict[str, Field] = {}
    for name, prefixes in groups.items():
        for prefix in prefixes:
            key = address_set(name, prefix.family, prefix.length)
            types[key] = ADDRESS[prefix.family][1]
            sets.setdefault(key, {})[((prefix.network, prefix.network),)] = Element("", "")
    return {name: NftSet((types[name],), elements=elements) for name, elements in sets.items()}


def port_sets(plan: VpcPlan) -> dict[str, NftSet]:
    """The sets and maps with one element a port, or one a port's address."""
    elements = port_elements(plan.ports)
    found = member_elements(plan.members) | elements
    sets: dict[str, NftSet] = {}
    for family, (_, address) in ADDRESS.items():
        sources, classes = f"sources{family.value}", f"class{family.value}"
        sets[sources] = NftSet((Field.LINK, address), elements=found.get(sources, {}))
        sets[classes] = NftSet((address,), "mark", elements=found.get(classes, {}))
    sets[LINKS] = NftSet((Field.LINK,), "mark", elements=_elsewhere_links(plan) | found.get(LINKS, {}))
    if plan.subnets:
        sets[SUBNETS] = NftSet((Field.LINK,), "mark", elements=found.get(SUBNETS, {}))
    for direction in Direction:
        sets[str(direction)] = NftSet((Field.MARK,), "verdict", elements=_dispatch(plan, direction))
        if plan.subnets:
            sets[ACL[direction]] = NftSet((Field.MARK,), "verdict", elements=_acl_dispatch(plan, direction))
    for name in (PENALISED, FTP):
        if name in found:
            sets[name] = NftSet((Field.LINK,), elements=found[name])
    return sets


def port_elements(ports: Iterable[PortPlan]) -> dict[str, dict[Key, Element]]:
    """What each set has of some ports."""
    found: dict[str, dict[Key, Element]] = {}
    for port in ports:
        link, comment = port_link(port.name), _comment(port.name)
        for address in (*port.addresses, *port.virtual):
            key: Key = (link, (address.value, address.value))
            found.setdefault(f"sources{address.family.value}", {})[key] = Element("", comment)
        found.setdefault(LINKS, {})[link,] = Element(str(port.class_id), comment)
        if port.subnet:
            found.setdefault(SUBNETS, {})[link,] = Element(str(port.subnet), comment)
        for name, is_in in ((PENALISED, bool(port.penalty)), (FTP, port.ftp_helper)):
            if is_in:
                found.setdefault(name, {})[link,] = Element("", comment)
    return found


def member_elements(members: Iterable[MemberPlan]) -> dict[str, dict[Key, Element]]:
    """The class of each address by which a rule may mean a port."""
    found: dict[str, dict[Key, Element]] = {}
    for member in members:
        element = Element(str(member.class_id), _comment(member.name))
        for address in member.addresses:
            found.setdefault(f"class{address.family.value}", {})[((address.value, address.value),)] = element
    return found


def _elsewhere_links(plan: VpcPlan) -> dict[Key, Element]:
    number = str(ELSEWHERE_CLASS)
    peers: dict[Key, Element] = {
        (peer_link(peer.vpc),): Element(number, _comment(f"peer {peer.vpc}")) for peer in plan.peers
    }
    return peers | {(UPLINK,): Element(number, "outside")}


def _dispatch(plan: VpcPlan, direction: Direction) -> dict[Key, Element]:
    """Which chain judges a class. What leads elsewhere has no groups here: only the other gate judges what comes."""
    verdict = "accept" if direction is Direction.INGRESS else f"goto {ELSEWHERE}"
    elements: dict[Key, Element] = {((ELSEWHERE_CLASS, ELSEWHERE_CLASS),): Element(verdict, "")}
    return elements | {((it.id, it.id),): class_element(it.id, direction) for it in plan.classes}


def class_element(number: int, direction: Direction) -> Element:
    """Where the number of a class leads, in the map of its direction."""
    return Element(f"goto {class_chain(number, direction)}", "")


def _acl_dispatch(plan: VpcPlan, direction: Direction) -> dict[Key, Element]:
    return {
        ((subnet.number, subnet.number),): Element(f"jump {subnet_chain(subnet.name, direction)}", "")
        for subnet in plan.subnets
    }


def _comment(text: str) -> str:
    return text.encode()[:120].decode(errors="ignore")  # a comment has at most 128 bytes
