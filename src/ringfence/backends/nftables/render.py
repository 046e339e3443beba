"""A VPC's plan as an nftables table. It only writes down: every decision is in the plan.

::

    prerouting (raw)  a port may send from its own addresses, the outside from none of the VPC's   else drop
    forward           replies pass; the class of the destination goes into the mark
      @egress   link of the source       -> chain of its class, outwards:  layers -> to-port, or drop
    to-port           the class of the source goes into the mark
      @ingress  link of the destination  -> chain of its class, inwards:   layers -> accept, or drop
    input             ND and DHCP only

Egress never accepts, it goes on to ``to-port``: no rule of one gate can skip the other. An unknown link is in no map,
and every base chain ends in drop.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ringfence.backends.nftables.names import UPLINK, class_chain, layer_map, port_link
from ringfence.backends.nftables.ruleset import Chain, Element, Field, Hook, Key, NftRule, NftSet, Ruleset, render_part
from ringfence.compile.boxes import ANY_CLASS, ANY_PORT, ANY_PROTOCOL, KINDS, Box, Interval, Kind
from ringfence.compile.layers import Layer
from ringfence.compile.plan import ClassPlan, PortPlan, VpcPlan
from ringfence.model.address import Family
from ringfence.model.rule import Action, Direction
from ringfence.model.service import TCP, UDP

_TO_PORT = "to-port"
_PASS = {Direction.EGRESS: f"goto {_TO_PORT}", Direction.INGRESS: "accept"}
_REMOTE_SIDE = {Direction.EGRESS: "daddr", Direction.INGRESS: "saddr"}
_ADDRESS = {Family.IPV4: ("ip", Field.IPV4), Family.IPV6: ("ip6", Field.IPV6)}
_RAW, _FILTER = -300, 0
_PORTED = (TCP, UDP)
_FEW = 8
"""Up to so many boxes a layer is plain rules: no slower to match, and an interval map takes tens of kilobytes."""
_ND = "icmpv6 type { nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert } ip6 hoplimit 255"


def render(plan: VpcPlan) -> Ruleset:
    """The table that enforces a plan."""
    sets = _port_sets(plan)
    chains = _base_chains(plan)
    for entry in plan.classes:
        for direction in Direction:
            _add_class(entry, direction, sets, chains)
    return Ruleset(sets, chains)


def _port_sets(plan: VpcPlan) -> dict[str, NftSet]:
    """The sets and maps with one element a port, or one a port's address."""
    sets: dict[str, NftSet] = {}
    for family, (_, address) in _ADDRESS.items():
        sources: dict[Key, Element] = {}
        classes: dict[Key, Element] = {}
        for port, value in _addresses(plan, family):
            sources[port_link(port.name), (value, value)] = Element("", _comment(port.name))
            classes[((value, value),)] = Element(str(port.class_id), _comment(port.name))
        sets[f"sources{family.value}"] = NftSet((Field.LINK, address), elements=sources)
        sets[f"class{family.value}"] = NftSet((address,), "mark", elements=classes)
    for direction in Direction:
        sets[str(direction)] = NftSet((Field.LINK,), "verdict", elements=_dispatch(plan, direction))
    return sets


def _addresses(plan: VpcPlan, family: Family) -> Iterator[tuple[PortPlan, int]]:
    return ((port, address.value) for port in plan.ports for address in port.addresses if address.family is family)


def _dispatch(plan: VpcPlan, direction: Direction) -> Mapping[Key, Element]:
    """Which chain judges a link. The outside has no groups, so nothing judges it: only the other gate does."""
    uplink: dict[Key, Element] = {(UPLINK,): Element(_PASS[direction], "outside")}
    return uplink | {
        (port_link(port.name),): Element(f"goto {class_chain(port.class_id, direction)}", _comment(port.name))
        for port in plan.ports
    }


def _comment(text: str) -> str:
    return text.encode()[:120].decode(errors="ignore")  # a comment has at most 128 bytes


def _base_chains(plan: VpcPlan) -> dict[str, Chain]:
    return {
        "prerouting": _chain(_antispoof(plan), Hook("prerouting", _RAW)),
        "input": _chain(_input(), Hook("input", _FILTER)),
        _TO_PORT: _chain([*_mark_class("saddr"), "oifname vmap @ingress"]),
        "forward": _chain(_forward(), Hook("forward", _FILTER)),
    }


def _chain(texts: list[str], hook: Hook | None = None) -> Chain:
    return Chain(tuple(NftRule.of(text) for text in texts), hook)


def _antispoof(plan: VpcPlan) -> list[str]:
    texts = [f"iifname . {ip} saddr @sources{family.value} accept" for family, (ip, _) in _ADDRESS.items()]
    for family, (ip, _) in _ADDRESS.items():
        space = ", ".join(str(prefix) for prefix in plan.cidrs if prefix.family is family)
        foreign = f"{ip} saddr != {{ {space} }}" if space else f"meta nfproto {family}"
        texts.append(f'iifname "{UPLINK}" {foreign} accept')
    # Exempt from groups (SEMANTICS.md 4.5); neither can be forwarded, so neither is a way round the gates.
    texts.append(f"ip6 saddr {{ ::, fe80::/10 }} {_ND} accept")
    texts.append("ip saddr 0.0.0.0 udp sport 68 udp dport 67 accept")
    texts.append("ip6 saddr fe80::/10 udp sport 546 udp dport 547 accept")
    return texts


def _input() -> list[str]:
    return [
        "ct state { established, related } accept",
        f"{_ND} accept",
        f'iifname != "{UPLINK}" meta nfproto ipv4 udp sport 68 udp dport 67 accept',
        f'iifname != "{UPLINK}" meta nfproto ipv6 udp sport 546 udp dport 547 accept',
    ]


def _forward() -> list[str]:
    return [
        "ct state vmap { established : accept, related : accept, invalid : drop }",
        f'iifname "{UPLINK}" oifname "{UPLINK}" drop',
        *_mark_class("daddr"),
        "iifname vmap @egress",
    ]


def _mark_class(side: str) -> list[str]:
    # A look-up that misses leaves the mark as it was.
    return ["meta mark set 0", *(f"meta mark set {ip} {side} map @class{f.value}" for f, (ip, _) in _ADDRESS.items())]


def _add_class(entry: ClassPlan, direction: Direction, sets: dict[str, NftSet], chains: dict[str, Chain]) -> None:
    """One direction of a class: its layers, kind by kind.

    The last layer of every kind of packet covers everything. Where it says the same for all kinds, one rule at the end
    does: a packet with ports that comes that far can match nothing made for packets without, since whatever covers both
    is there for either.
    """
    name = class_chain(entry.id, direction)
    gate = entry.gates[direction]
    rests = {kind: gate[kind][-1][0] for kind in KINDS}
    common = len({(rest.rule_id, rest.action) for rest in rests.values()}) == 1
    rules: list[NftRule] = []
    for kind in KINDS:
        for depth, layer in enumerate(gate[kind][:-1] if common else gate[kind]):
            if len(layer) <= _FEW:
                rules += (rule for box in layer for rule in _box_rules(box, kind, direction))
            else:
                map_name = layer_map(name, kind, depth)
                sets[map_name] = _layer_map(layer, kind, direction)
                rules.append(NftRule.of(f"{_key(kind, direction)} vmap @{map_name}"))
    if common:
        rest = rests[KINDS[0]]
        rules.append(NftRule.of(f"counter {_verdict(rest, direction)}", rest.rule_id))
    chains[name] = Chain(tuple(rules))


def _verdict(box: Box, direction: Direction) -> str:
    return _PASS[direction] if box.action is Action.ALLOW else "drop"


def _protocols(box: Box, kind: Kind) -> list[Interval]:
    """What is made for packets with ports names both protocols that have them, so that no other packet matches it."""
    every = kind.ported and box.protocols == ANY_PROTOCOL
    return [(number, number) for number in _PORTED] if every else [box.protocols]


def _box_rules(box: Box, kind: Kind, direction: Direction) -> Iterator[NftRule]:
    ip, address = _ADDRESS[kind.family]
    for protocols in _protocols(box, kind):
        matches = [
            ("meta mark", Field.MARK, box.peers, ANY_CLASS),
            (f"{ip} {_REMOTE_SIDE[direction]}", address, box.addresses, (0, kind.family.top)),
            ("meta l4proto", Field.PROTOCOL, protocols, ANY_PROTOCOL),
            ("th dport", Field.SERVICE, box.ports, ANY_PORT),
        ]
        texts = [f"{what} {render_part(field, part)}" for what, field, part, whole in matches if part != whole]
        text = " ".join([f"meta nfproto {kind.family}", *texts, "counter", _verdict(box, direction)])
        yield NftRule.of(text, box.rule_id)


def _key(kind: Kind, direction: Direction) -> str:
    ip, _ = _ADDRESS[kind.family]
    return f"meta mark . {ip} {_REMOTE_SIDE[direction]} . meta l4proto{' . th dport' if kind.ported else ''}"


def _layer_map(layer: Layer, kind: Kind, direction: Direction) -> NftSet:
    _, address = _ADDRESS[kind.family]
    fields = (Field.MARK, address, Field.PROTOCOL, *((Field.SERVICE,) if kind.ported else ()))
    elements: dict[Key, Element] = {}
    for box in layer:
        for protocols in _protocols(box, kind):
            key = (box.peers, box.addresses, protocols, box.ports)
            elements[key[: len(fields)]] = Element(_verdict(box, direction), box.rule_id)
    return NftSet(fields, "verdict", interval=True, elements=elements)
