"""A VPC's plan as an nftables table. It only writes down: every decision is in the plan.

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

from collections.abc import Iterable, Iterator, Mapping

from ringfence.backends.nftables.droplog import DROP_CHAIN, drop_rules
from ringfence.backends.nftables.gates import (
    ADDRESS,
    DROPPED,
    REMOTE_CLASS,
    GateWriter,
    Lengths,
    RenderedGate,
    remote_class,
)
from ringfence.backends.nftables.names import (
    UPLINK,
    acl_chain,
    address_set,
    class_chain,
    firewall_chain,
    peer_link,
    port_link,
    subnet_chain,
)
from ringfence.backends.nftables.ruleset import (
    Chain,
    Element,
    Elements,
    Field,
    Hook,
    Key,
    NftRule,
    NftSet,
    Pair,
    Ruleset,
    RulesetChange,
    same_rules,
)
from ringfence.compile.plan import (
    ELSEWHERE_CLASS,
    BlockPlan,
    ClassPlan,
    Gate,
    MemberPlan,
    PortPlan,
    VpcChange,
    VpcPlan,
    lengths_of,
)
from ringfence.model.address import Family, Prefix
from ringfence.model.rule import Direction

_ONWARD, _ELSEWHERE, _ESTABLISHED, _RELATED, _DATA = "onward", "from-elsewhere", "established", "related", "data"
_PENALTIES, _CARRIER = "penalties", "carrier"
_PENALISED, _FTP = "penalised", "ftp"
_LINKS, _SUBNETS = "links", "subnets"
_ACL = {Direction.EGRESS: "acl-out", Direction.INGRESS: "acl-in"}
_LINK = {Direction.EGRESS: "iifname", Direction.INGRESS: "oifname"}
_PASSED = {Direction.EGRESS: f"goto {_ONWARD}", Direction.INGRESS: "accept"}
_RAW, _FILTER = -300, 0
_ND = "icmpv6 type { nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert } ip6 hoplimit 255"


def render(plan: VpcPlan) -> Ruleset:
    """The table that enforces a plan."""
    sets = {**_port_sets(plan), **_address_sets(plan.address_groups)}
    chains, lengths = _base_chains(plan), _lengths(plan)
    for name, direction, passed, gate in _gates(plan):
        written = GateWriter(direction, passed, lengths).write(name, gate)
        sets |= written.maps
        chains[name] = written.chain
    return Ruleset(sets, chains, frozenset({_FTP}) if _has_ftp(plan) else frozenset())


def render_change(change: VpcChange, held: Ruleset) -> RulesetChange | None:
    """What a single change of a plan changes in the table ``held``; None if it needs sets that the table has not."""
    sets: dict[str, Pair[NftSet]] = {}
    chains: dict[str, Pair[Chain]] = {}
    elements: dict[str, dict[Key, Pair[Element]]] = {}
    for number, (before, after) in change.classes.items():
        for name, old, new in _class_gates(before, after, change.lengths, anew=number in change.anew):
            sets |= _pairs_of(old, new.maps if new else {})
            chains[name] = held.chains.get(name), new.chain if new else None
    for ports in change.ports.values():
        _collect(elements, *(_port_elements([port]) if port else {} for port in ports))
    for members in change.members.values():
        _collect(elements, *(_member_elements([member]) if member else {} for member in members))
    for number, pair in change.classes.items():
        for direction in Direction:
            old_element, new_element = (_class_element(number, direction) if it else None for it in pair)
            if old_element != new_element:
                elements.setdefault(str(direction), {})[((number, number),)] = old_element, new_element
    for name, entries in change.address_groups.items():
        old_sets, new_sets = (_address_sets({name: prefixes}) for prefixes in entries)
        _collect(elements, *({key: it.elements for key, it in each.items()} for each in (old_sets, new_sets)))
        sets |= _come_and_gone(held, old_sets, new_sets)
    elements = {name: pairs for name, pairs in elements.items() if pairs and name not in sets}
    if not elements.keys() <= held.sets.keys():
        return None
    return RulesetChange(
        sets,
        {name: pair for name, pair in chains.items() if not same_rules(*pair)},
        {name: Elements(held.sets[name].fields, pairs) for name, pairs in elements.items()},
    )


def _class_gates(
    before: ClassPlan | None, after: ClassPlan | None, lengths: Lengths, *, anew: bool
) -> Iterator[tuple[str, Mapping[str, NftSet], RenderedGate | None]]:
    """Chain by chain, the maps before and all of it after; not those of a direction that has not changed."""
    for direction in Direction:
        writer = GateWriter(direction, _PASSED[direction], lengths)
        known = before or after
        assert known is not None
        if before and after and not anew and before.gates[direction] is after.gates[direction]:
            continue
        name = class_chain(known.id, direction)
        old = writer.maps(name, before.gates[direction]) if before else {}
        yield name, old, writer.write(name, after.gates[direction]) if after else None


def _pairs_of(old: Mapping[str, NftSet], new: Mapping[str, NftSet]) -> dict[str, Pair[NftSet]]:
    """Maps that come or go; one that stays has the same name, which carries a digest of its content."""
    come: dict[str, Pair[NftSet]] = {name: (None, it) for name, it in new.items() if name not in old}
    return come | {name: (it, None) for name, it in old.items() if name not in new}


def _collect(
    into: dict[str, dict[Key, Pair[Element]]],
    old: Mapping[str, Mapping[Key, Element]],
    new: Mapping[str, Mapping[Key, Element]],
) -> None:
    for name in {**old, **new}:
        before, after = old.get(name, {}), new.get(name, {})
        into.setdefault(name, {}).update(
            {key: (before.get(key), after.get(key)) for key in {**before, **after} if before.get(key) != after.get(key)}
        )


def _come_and_gone(
    held: Ruleset, old: Mapping[str, NftSet], new: Mapping[str, NftSet]
) -> Iterator[tuple[str, Pair[NftSet]]]:
    """Sets of an address group that get their first element, or lose their last."""
    for name, it in new.items():
        if name not in held.sets:
            yield name, (None, it)
    for name, it in old.items():
        if name in held.sets and name not in new and len(it.elements) == len(held.sets[name].elements):
            yield name, (held.sets[name], None)


def _gates(plan: VpcPlan) -> Iterator[tuple[str, Direction, str, Gate]]:
    """Every decision list: its chain, which way it looks, and where what it allows goes on."""
    for entry in plan.classes:
        for direction in Direction:
            yield class_chain(entry.id, direction), direction, _PASSED[direction], entry.gates[direction]
    for acl in plan.acls:
        for direction, gate in acl.gates.items():
            yield acl_chain(acl.name, direction), direction, "return", gate
    for direction, gate in plan.border.items():
        yield firewall_chain(UPLINK, direction), direction, "return", gate
    for peer in plan.peers:
        if peer.gate:
            name = firewall_chain(peer_link(peer.vpc), Direction.EGRESS)
            yield name, Direction.EGRESS, "return", peer.gate


def _lengths(plan: VpcPlan) -> Lengths:
    """The lengths of prefixes of each address group and family."""
    groups = plan.address_groups.items()
    return {(name, family): lengths_of(prefixes, family) for name, prefixes in groups for family in Family}


def _address_sets(groups: Mapping[str, Iterable[Prefix]]) -> dict[str, NftSet]:
    """The address groups: a hash set for each length of prefix, so that an entry comes and goes at its own cost."""
    sets: dict[str, dict[Key, Element]] = {}
    types: dict[str, Field] = {}
    for name, prefixes in groups.items():
        for prefix in prefixes:
            key = address_set(name, prefix.family, prefix.length)
            types[key] = ADDRESS[prefix.family][1]
            sets.setdefault(key, {})[((prefix.network, prefix.network),)] = Element("", "")
    return {name: NftSet((types[name],), elements=elements) for name, elements in sets.items()}


def _port_sets(plan: VpcPlan) -> dict[str, NftSet]:
    """The sets and maps with one element a port, or one a port's address."""
    elements = _port_elements(plan.ports)
    found = _member_elements(plan.members) | elements
    sets: dict[str, NftSet] = {}
    for family, (_, address) in ADDRESS.items():
        sources, classes = f"sources{family.value}", f"class{family.value}"
        sets[sources] = NftSet((Field.LINK, address), elements=found.get(sources, {}))
        sets[classes] = NftSet((address,), "mark", elements=found.get(classes, {}))
    sets[_LINKS] = NftSet((Field.LINK,), "mark", elements=_elsewhere_links(plan) | found.get(_LINKS, {}))
    if plan.subnets:
        sets[_SUBNETS] = NftSet((Field.LINK,), "mark", elements=found.get(_SUBNETS, {}))
    for direction in Direction:
        sets[str(direction)] = NftSet((Field.MARK,), "verdict", elements=_dispatch(plan, direction))
        if plan.subnets:
            sets[_ACL[direction]] = NftSet((Field.MARK,), "verdict", elements=_acl_dispatch(plan, direction))
    for name in (_PENALISED, _FTP):
        if name in found:
            sets[name] = NftSet((Field.LINK,), elements=found[name])
    return sets


def _port_elements(ports: Iterable[PortPlan]) -> dict[str, dict[Key, Element]]:
    """What each set has of some ports."""
    found: dict[str, dict[Key, Element]] = {}
    for port in ports:
        link, comment = port_link(port.name), _comment(port.name)
        for address in (*port.addresses, *port.virtual):
            key: Key = (link, (address.value, address.value))
            found.setdefault(f"sources{address.family.value}", {})[key] = Element("", comment)
        found.setdefault(_LINKS, {})[link,] = Element(str(port.class_id), comment)
        if port.subnet:
            found.setdefault(_SUBNETS, {})[link,] = Element(str(port.subnet), comment)
        for name, is_in in ((_PENALISED, bool(port.penalty)), (_FTP, port.ftp_helper)):
            if is_in:
                found.setdefault(name, {})[link,] = Element("", comment)
    return found


def _member_elements(members: Iterable[MemberPlan]) -> dict[str, dict[Key, Element]]:
    """The class of each address by which a rule may mean a port."""
    found: dict[str, dict[Key, Element]] = {}
    for member in members:
        element = Element(str(member.class_id), _comment(member.name))
        for address in member.addresses:
            found.setdefault(f"class{address.family.value}", {})[((address.value, address.value),)] = element
    return found


def _penalised(plan: VpcPlan) -> list[PortPlan]:
    return [port for port in plan.ports if port.penalty]


def _has_ftp(plan: VpcPlan) -> bool:
    return any(port.ftp_helper for port in plan.ports)


def _elsewhere_links(plan: VpcPlan) -> dict[Key, Element]:
    number = str(ELSEWHERE_CLASS)
    peers: dict[Key, Element] = {
        (peer_link(peer.vpc),): Element(number, _comment(f"peer {peer.vpc}")) for peer in plan.peers
    }
    return peers | {(UPLINK,): Element(number, "outside")}


def _dispatch(plan: VpcPlan, direction: Direction) -> dict[Key, Element]:
    """Which chain judges a class. What leads elsewhere has no groups here: only the other gate judges what comes."""
    verdict = "accept" if direction is Direction.INGRESS else f"goto {_ELSEWHERE}"
    elements: dict[Key, Element] = {((ELSEWHERE_CLASS, ELSEWHERE_CLASS),): Element(verdict, "")}
    return elements | {((it.id, it.id),): _class_element(it.id, direction) for it in plan.classes}


def _class_element(number: int, direction: Direction) -> Element:
    return Element(f"goto {class_chain(number, direction)}", "")


def _acl_dispatch(plan: VpcPlan, direction: Direction) -> dict[Key, Element]:
    return {
        ((subnet.number, subnet.number),): Element(f"jump {subnet_chain(subnet.name, direction)}", "")
        for subnet in plan.subnets
    }


def _comment(text: str) -> str:
    return text.encode()[:120].decode(errors="ignore")  # a comment has at most 128 bytes


def _base_chains(plan: VpcPlan) -> dict[str, Chain]:
    chains = {
        **{REMOTE_CLASS[direction]: remote_class(direction) for direction in Direction},
        "prerouting": _chain([*_antispoof(plan), DROPPED], Hook("prerouting", _RAW)),
        "input": _chain([*_input(plan), f"meta pkttype host {DROPPED}"], Hook("input", _FILTER)),
        "forward": Chain(tuple(_forward(plan)), Hook("forward", _FILTER)),
        _ELSEWHERE: _chain(_from_elsewhere(plan)),
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
    return _led_by(_LINK[direction], _SUBNETS, _ACL[direction])


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
    if _has_ftp(plan):
        # It skips the gates of ports that have the helper, no others (SEMANTICS.md section 3).
        yield NftRule.of(f'meta l4proto tcp ct helper "{_FTP}" iifname @{_FTP} goto {_ONWARD}')
    yield from map(NftRule.of, _led_by("iifname", _LINKS, "egress"))  # also where a session outlives its helper
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
        yield NftRule.of(f"iifname @{_PENALISED} goto {_PENALTIES}")
        yield NftRule.of(f"oifname @{_PENALISED} goto {_PENALTIES}")
    known = f"goto {_ESTABLISHED}" if _judges_every_packet(plan) else "accept"
    # Not one rule with a map of its own: when such a rule is replaced, packets under way find its map empty.
    for state, verdict in (("established", known), ("related", f"goto {_RELATED}"), ("invalid", DROPPED)):
        yield NftRule.of(f"ct state {state} {verdict}")
    yield from _platform(plan)
    if _has_ftp(plan):  # the first packet only: conntrack takes a helper before it confirms a connection
        for link in ("iifname", "oifname"):
            yield NftRule.of(f'tcp dport 21 {link} @{_FTP} ct helper set "{_FTP}"')
    for text in _led_by("iifname", _LINKS, "egress"):
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
    if _has_ftp(plan):
        yield f'ct state related meta l4proto tcp ct helper "{_FTP}" oifname @{_FTP} accept'
    yield from _led_by("oifname", _LINKS, "ingress")
    yield DROPPED
