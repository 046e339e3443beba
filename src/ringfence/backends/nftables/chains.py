"""The chains that every packet of a VPC walks, and where its plan's own decision lists hang in them.

::

    prerouting (raw)  a port may send from its own and its virtual addresses, a peer from its own space, the outside
                      from anywhere else                                                           else drop
    forward           penalties; replies pass, and errors about a connection from the links of its two ends
                      what the platform blocks
      @links, @egress   class of the source's link       -> its chain, outwards: layers -> onward, or drop
    onward            a new connection that its sender's groups allow
      @subnets, @acl-out  subnet of the source's link    -> its ACL, outwards: layers -> return, or drop
      link to a peer or to the outside                   -> the firewall there: layers -> return, or drop
      @subnets, @acl-in   subnet of the destination's    -> its ACL, inwards: layers -> return, or drop
      @links, @ingress    class of the destination's link -> its chain, inwards: layers -> accept, or drop
    input             ND and DHCP only

Egress never accepts, it goes on to ``onward``: no rule of one gate can skip another. An unknown link is in no map, and
every base chain ends in drop. A link leads to its chain by a number: the kernel walks all elements of a verdict map
whenever one of them changes, but none of a map of numbers, so a port comes and goes at the cost of a port. What the
plan has not (ACLs, firewalls, penalties, FTP helpers) leaves no rule behind, so that a packet pays for nothing that is
not there. Stateless ACLs judge the packets of known connections as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ringfence.backends.nftables.droplog import DROP_CHAIN, drop_rules
from ringfence.backends.nftables.elements import ACL, ELSEWHERE, FTP, LINKS, PENALISED, SUBNETS
from ringfence.backends.nftables.gates import ADDRESS, DROPPED, REMOTE_CLASS, remote_class
from ringfence.backends.nftables.names import UPLINK, acl_chain, firewall_chain, peer_link, port_link, subnet_chain
from ringfence.backends.nftables.ruleset import Chain, Hook, NftRule
from ringfence.compile.plan import BlockPlan, PortPlan, VpcPlan
from ringfence.model.address import Family, Prefix
from ringfence.model.rule import Direction

PASSED = {Direction.EGRESS: "goto onward", Direction.INGRESS: "accept"}
"""Where a packet goes that the groups of a port allow."""
_ONWARD, _ESTABLISHED, _RELATED, _DATA = "onward", "established", "related", "data"
_PENALTIES, _CARRIER = "penalties", "carrier"
_LINK = {Direction.EGRESS: "iifname", Direction.INGRESS: "oifname"}
_RAW, _FILTER = -300, 0
_ND = "icmpv6 type { nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert } ip6 hoplimit 255"


def base_chains(plan: VpcPlan) -> dict[str, Chain]:
    """The chains at the kernel's hooks, and those that they lead to, without the decision lists."""
    chains = {
        **{REMOTE_CLASS[direction]: remote_class(direction) for direction in Direction},
        "prerouting": _chain([*_antispoof(plan), DROPPED], Hook("prerouting", _RAW)),
        "input": _chain([*_input(plan), f"meta pkttype host {DROPPED}"], Hook("input", _FILTER)),
        "forward": Chain(tuple(_forward(plan)), Hook("forward", _FILTER)),
        ELSEWHERE: _chain(_from_elsewhere(plan)),
        _ONWARD: _chain(_onward(plan)),
        _RELATED: _chain(_related(plan)),
        _DATA: Chain(tuple(_data(plan))),
        DROP_CHAIN: _chain(drop_rules()),
    }
    if _judges_every_packet(plan):
        chains[_ESTABLISHED] = _chain([*_acl_rules(Direction.EGRESS), *_acl_rules(Direction.INGRESS), "accept"])
    if _penalised(plan):
        chains[_PENALTIES] = Chain(tuple(_penalties(plan)))
    if plan.carrier_blocks.services:
        chains[_CARRIER] = Chain(tuple(_blocked(plan.carrier_blocks)))
    for subnet in plan.subnets:
        for direction in Direction:
            chains[subnet_chain(subnet.name, direction)] = _chain(
                _at_the_edge(subnet.prefixes, direction, acl_chain(subnet.acl, direction))
            )
    return chains


def _chain(texts: Iterable[str], hook: Hook | None = None) -> Chain:
    return Chain(tuple(NftRule.of(text) for text in texts), hook)


def _elsewhere(plan: VpcPlan) -> list[str]:
    """The links that lead out of the VPC, quoted."""
    return [f'"{link}"' for link in (UPLINK, *(peer_link(peer.vpc) for peer in plan.peers))]


def _judges_every_packet(plan: VpcPlan) -> bool:
    return bool(plan.subnets) and not plan.acls_are_stateful


def _from_elsewhere(plan: VpcPlan) -> Iterator[str]:
    """Nothing passes through a VPC from one of its neighbours to another."""
    yield f"oifname {{ {', '.join(_elsewhere(plan))} }} {DROPPED}"
    if plan.carrier_blocks.services:
        yield f'iifname "{UPLINK}" jump {_CARRIER}'
    yield f"goto {_ONWARD}"


def _led_by(link: str, numbers: str, verdicts: str) -> list[str]:
    """To a chain by the number of a link; a look-up that misses leaves the mark as it was."""
    return ["meta mark set 0", f"meta mark set {link} map @{numbers}", f"meta mark vmap @{verdicts}"]


def _acl_rules(direction: Direction) -> list[str]:
    return _led_by(_LINK[direction], SUBNETS, ACL[direction])


def _at_the_edge(prefixes: Iterable[Prefix], direction: Direction, chain: str) -> Iterator[str]:
    """Nothing inside a subnet concerns its ACL (SEMANTICS.md 4.4)."""
    side = "daddr" if direction is Direction.EGRESS else "saddr"
    for prefix in prefixes:
        yield f"{ADDRESS[prefix.family][0]} {side} {prefix} return"
    yield f"goto {chain}"


def _antispoof(plan: VpcPlan) -> Iterator[str]:
    for family, (ip, _) in ADDRESS.items():
        yield f"iifname . {ip} saddr @sources{family.value} accept"
        yield f'iifname "{UPLINK}" {_foreign(plan, family, f"{ip} saddr")} accept'
    for peer in plan.peers:
        for cidr in peer.cidrs:
            yield f'iifname "{peer_link(peer.vpc)}" {ADDRESS[cidr.family][0]} saddr {cidr} accept'
    # Exempt from groups (SEMANTICS.md 4.5); neither can be forwarded, so neither is a way round the gates.
    yield f"ip6 saddr {{ ::, fe80::/10 }} {_ND} accept"
    yield "ip saddr 0.0.0.0 udp sport 68 udp dport 67 accept"
    yield "ip6 saddr fe80::/10 udp sport 546 udp dport 547 accept"
    yield "ip6 saddr { ::, fe80::/10 } drop"  # what else hosts say to their link would fill the drop log


def _foreign(plan: VpcPlan, family: Family, address: str) -> str:
    """What matches a packet of a family whose ``address`` (an nft expression) is none of the VPC's or of a peer's."""
    cidrs = [*plan.cidrs, *(cidr for peer in plan.peers for cidr in peer.cidrs)]
    space = ", ".join(str(cidr) for cidr in cidrs if cidr.family is family)
    return f"meta nfproto {family}" + (f" {address} != {{ {space} }}" if space else "")


def _related(plan: VpcPlan) -> Iterator[str]:
    """Which ICMP errors pass because of a connection that they are about, and which FTP data connections.

    Conntrack takes any error that quotes the connection for related, whoever sent it; then a port that may send nothing
    could write to whoever has a connection that it knows of. So it has to come from the link of one of the two ends.
    """
    yield f"meta l4proto != {{ icmp, icmpv6 }} goto {_DATA}"
    if _judges_every_packet(plan):
        yield from (*_acl_rules(Direction.EGRESS), *_acl_rules(Direction.INGRESS))
    for family, (ip, _) in ADDRESS.items():
        for end in (f"ct original {ip} saddr", f"ct reply {ip} saddr"):
            yield f"meta nfproto {family} iifname . {end} @sources{family.value} accept"
            yield f'iifname "{UPLINK}" {_foreign(plan, family, end)} accept'
            for peer in plan.peers:
                for cidr in peer.cidrs:
                    if cidr.family is family:
                        yield f'iifname "{peer_link(peer.vpc)}" meta nfproto {family} {end} {cidr} accept'
    yield DROPPED


def _platform(plan: VpcPlan) -> Iterator[NftRule]:
    """What the platform blocks on the way out."""
    yield from _blocked(plan.blocked_egress, f" iifname != {{ {', '.join(_elsewhere(plan))} }}")
    if plan.carrier_blocks.services:
        yield NftRule.of(f'oifname "{UPLINK}" jump {_CARRIER}')


def _data(plan: VpcPlan) -> Iterator[NftRule]:
    """The first packet of an FTP data connection: no helper opens what the platform blocks (SEMANTICS.md 4.5)."""
    yield from _platform(plan)
    if has_ftp(plan):
        # It skips the gates of ports that have the helper, no others (SEMANTICS.md section 3).
        yield NftRule.of(f'meta l4proto tcp ct helper "{FTP}" iifname @{FTP} goto {_ONWARD}')
    yield from map(NftRule.of, _led_by("iifname", LINKS, "egress"))  # also where a session outlives its helper
    yield NftRule.of(DROPPED)


def _input(plan: VpcPlan) -> list[str]:
    elsewhere = ", ".join(_elsewhere(plan))
    return [
        "ct state { established, related } accept",
        f"{_ND} accept",
        f"iifname != {{ {elsewhere} }} meta nfproto ipv4 udp sport 68 udp dport 67 accept",
        f"iifname != {{ {elsewhere} }} meta nfproto ipv6 udp sport 546 udp dport 547 accept",
    ]


def _forward(plan: VpcPlan) -> Iterator[NftRule]:
    if _penalised(plan):
        yield NftRule.of(f"iifname @{PENALISED} goto {_PENALTIES}")
        yield NftRule.of(f"oifname @{PENALISED} goto {_PENALTIES}")
    known = f"goto {_ESTABLISHED}" if _judges_every_packet(plan) else "accept"
    # Not one rule with a map of its own: when such a rule is replaced, packets under way find its map empty.
    for state, verdict in (("established", known), ("related", f"goto {_RELATED}"), ("invalid", DROPPED)):
        yield NftRule.of(f"ct state {state} {verdict}")
    yield from _platform(plan)
    if has_ftp(plan):  # the first packet only: conntrack takes a helper before it confirms a connection
        for link in ("iifname", "oifname"):
            yield NftRule.of(f'tcp dport 21 {link} @{FTP} ct helper set "{FTP}"')
    for text in _led_by("iifname", LINKS, "egress"):
        yield NftRule.of(text)
    yield NftRule.of(DROPPED)


def _penalties(plan: VpcPlan) -> Iterator[NftRule]:
    """The source's penalty is named before the destination's."""
    for link in ("iifname", "oifname"):
        for port in _penalised(plan):
            yield NftRule.of(f'{link} "{port_link(port.name)}" counter {DROPPED}', port.penalty)


def _blocked(block: BlockPlan, where: str = "") -> Iterator[NftRule]:
    ranges = block.services.ranges
    for protocol in sorted({protocol for protocol, _ in ranges}):
        ports = ", ".join(str(ports) for each, ports in ranges if each == protocol)
        yield NftRule.of(f"meta l4proto {protocol} th dport {{ {ports} }}{where} counter {DROPPED}", block.id)


def _onward(plan: VpcPlan) -> Iterator[str]:
    if plan.subnets:
        yield from _acl_rules(Direction.EGRESS)
    for peer in plan.peers:
        if peer.gate:
            link = peer_link(peer.vpc)
            yield f'oifname "{link}" jump {firewall_chain(link, Direction.EGRESS)}'
    for direction in (Direction.EGRESS, Direction.INGRESS):
        if direction in plan.border:
            far = _LINK[Direction.INGRESS if direction is Direction.EGRESS else Direction.EGRESS]
            yield f'{far} "{UPLINK}" jump {firewall_chain(UPLINK, direction)}'
    if plan.subnets:
        yield from _acl_rules(Direction.INGRESS)
    if has_ftp(plan):
        yield f'ct state related meta l4proto tcp ct helper "{FTP}" oifname @{FTP} accept'
    yield from _led_by("oifname", LINKS, "ingress")
    yield DROPPED


def _penalised(plan: VpcPlan) -> list[PortPlan]:
    return [port for port in plan.ports if port.penalty]


def has_ftp(plan: VpcPlan) -> bool:
    """Whether a port has the helper for FTP."""
    return any(port.ftp_helper for port in plan.ports)
