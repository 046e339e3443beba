"""One direction of a class as a chain: layers of boxes as plain rules or as interval maps.

What a map costs a packet is decided by the order of its key. The kernel (pipapo) narrows the elements down part by part
and carries each that still matches over to the next, so the part that tells elements apart best comes first, and what
all of them share is left out of the key.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from ringfence.backends.nftables.names import class_chain, layer_map
from ringfence.backends.nftables.ruleset import Chain, Element, Field, Key, NftRule, NftSet, render_part
from ringfence.compile.boxes import ANY_CLASS, ANY_PORT, ANY_PROTOCOL, KINDS, Box, Interval, Kind
from ringfence.compile.layers import Layer
from ringfence.compile.plan import ClassPlan
from ringfence.model.address import Family
from ringfence.model.rule import Action, Direction
from ringfence.model.service import TCP, UDP

TO_PORT = "to-port"
"""The chain that a packet goes to when egress allows it."""
ADDRESS = {Family.IPV4: ("ip", Field.IPV4), Family.IPV6: ("ip6", Field.IPV6)}
"""How nft calls a family's header and its addresses."""

_PASS = {Direction.EGRESS: f"goto {TO_PORT}", Direction.INGRESS: "accept"}
_REMOTE_SIDE = {Direction.EGRESS: "daddr", Direction.INGRESS: "saddr"}
_PORTED = (TCP, UDP)
_FEW = 8
"""Up to so many boxes a layer is plain rules: no slower to match, and an interval map takes tens of kilobytes."""


class RenderedGate(NamedTuple):
    """A gate's chain and the maps that it looks into, by name."""

    chain: Chain
    maps: Mapping[str, NftSet]


def render_gate(entry: ClassPlan, direction: Direction) -> RenderedGate:
    """The chain of one direction of a class.

    The last layer of every kind of packet covers everything. Where it says the same for all kinds, one rule at the end
    does: a packet with ports that comes that far can match nothing made for packets without, since whatever covers both
    is there for either.
    """
    gate = entry.gates[direction]
    rests = {kind: gate[kind][-1][0] for kind in KINDS}
    common = len({(rest.rule_id, rest.action) for rest in rests.values()}) == 1
    layers = [
        (kind, depth, layer) for kind in KINDS for depth, layer in enumerate(gate[kind][:-1] if common else gate[kind])
    ]
    maps: dict[str, NftSet] = {}
    rules = _remote_class(direction) if any(_names_a_class(layer) for _, _, layer in layers) else []
    for kind, depth, layer in layers:
        if len(layer) <= _FEW:
            rules += (rule for box in layer for rule in _box_rules(box, kind, direction))
        else:
            look_up = _look_up(layer, kind, direction)
            name = layer_map(class_chain(entry.id, direction), kind, depth, look_up.content)
            maps[name] = look_up.content
            rules.append(NftRule.of(f"{look_up.key} vmap @{name}"))
    if common:
        rest = rests[KINDS[0]]
        rules.append(NftRule.of(f"counter {_verdict(rest, direction)}", rest.rule_id))
    return RenderedGate(Chain(tuple(rules)), maps)


def _names_a_class(layer: Layer) -> bool:
    return any(box.peers != ANY_CLASS for box in layer)


def _remote_class(direction: Direction) -> list[NftRule]:
    """Put the class of the remote address into the mark; a look-up that misses leaves the mark as it was."""
    side = _REMOTE_SIDE[direction]
    look_ups = [f"meta mark set {ip} {side} map @class{family.value}" for family, (ip, _) in ADDRESS.items()]
    return [NftRule.of(text) for text in ("meta mark set 0", *look_ups)]


def _verdict(box: Box, direction: Direction) -> str:
    return _PASS[direction] if box.action is Action.ALLOW else "drop"


def _protocols(box: Box, kind: Kind) -> list[Interval]:
    """What is made for packets with ports names both protocols that have them, so that no other packet matches it."""
    every = kind.ported and box.protocols == ANY_PROTOCOL
    return [(number, number) for number in _PORTED] if every else [box.protocols]


def _box_rules(box: Box, kind: Kind, direction: Direction) -> Iterator[NftRule]:
    ip, address = ADDRESS[kind.family]
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


class _LookUp(NamedTuple):
    """A layer as a map, and the expression whose value is looked up in it."""

    key: str
    content: NftSet


class _Part(NamedTuple):
    """One dimension of a layer's elements, as a part of a key."""

    text: str
    field: Field
    intervals: tuple[Interval, ...]
    """One an element."""

    @property
    def crowding(self) -> int:
        """How many pairs of elements overlap in this part alone."""
        firsts, lasts = (sorted(ends) for ends in zip(*self.intervals, strict=True))
        return sum(bisect_right(firsts, last) - bisect_left(lasts, first) for first, last in self.intervals)


def _look_up(layer: Layer, kind: Kind, direction: Direction) -> _LookUp:
    ip, address = ADDRESS[kind.family]
    spread = [(box, protocols) for box in layer for protocols in _protocols(box, kind)]
    peers = _Part("meta mark", Field.MARK, tuple(box.peers for box, _ in spread))
    addresses = _Part(f"{ip} {_REMOTE_SIDE[direction]}", address, tuple(box.addresses for box, _ in spread))
    protocols = _Part("meta l4proto", Field.PROTOCOL, tuple(each for _, each in spread))
    parts, match = [addresses], ""
    if _names_a_class(layer):
        parts.append(peers)
    if kind.ported:
        parts.append(_Part("th dport", Field.SERVICE, tuple(box.ports for box, _ in spread)))
    if kind.ported and len(set(protocols.intervals)) == 1:
        match = f"meta l4proto {protocols.intervals[0][0]} "
    else:
        parts.append(protocols)
    parts.sort(key=lambda part: part.crowding)
    keys: Iterator[Key] = zip(*(part.intervals for part in parts), strict=True)
    elements = {key: Element(_verdict(box, direction), box.rule_id) for key, (box, _) in zip(keys, spread, strict=True)}
    content = NftSet(tuple(part.field for part in parts), "verdict", interval=True, elements=elements)
    return _LookUp(match + " . ".join(part.text for part in parts), content)
