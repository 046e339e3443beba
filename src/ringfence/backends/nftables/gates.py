"""A decision list as a chain: layers of boxes as plain rules or as interval maps.

What a map costs a packet is decided by the order of its key. The kernel (pipapo) narrows the elements down part by part
and carries each that still matches over to the next, so the part that tells elements apart best comes first, and what
all of them share is left out of the key.

An address group is a hash set for each length of its prefixes, and a rule for each of these sets: what the set holds is
none of the chain's business.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import NamedTuple

from ringfence.backends.nftables.names import address_set, layer_map
from ringfence.backends.nftables.ruleset import Chain, Element, Field, Key, NftRule, NftSet, render_part
from ringfence.compile.boxes import ANY_CLASS, ANY_PORT, ANY_PROTOCOL, KINDS, Box, Interval, Kind
from ringfence.compile.layers import Layer
from ringfence.compile.plan import Gate
from ringfence.model.address import Address, Family
from ringfence.model.rule import Action, Direction
from ringfence.model.service import TCP, UDP

DROPPED = "goto dropped"
"""What becomes of a packet that is denied."""
ADDRESS = {Family.IPV4: ("ip", Field.IPV4), Family.IPV6: ("ip6", Field.IPV6)}
"""How nft calls a family's header and its addresses."""

_REMOTE_SIDE = {Direction.EGRESS: "daddr", Direction.INGRESS: "saddr"}
_LOCAL_SIDE = {Direction.EGRESS: "saddr", Direction.INGRESS: "daddr"}
_PORTED = (TCP, UDP)
_MOST_PARTS = 5
"""nft keeps the types of a key's parts in 32 bits, six a part: the kernel takes a sixth, but nft lists it wrong."""
_FEW = 8
"""Up to so many boxes a layer is plain rules: no slower to match, and an interval map takes tens of kilobytes."""


class RenderedGate(NamedTuple):
    """A gate's chain and the maps that it looks into, by name."""

    chain: Chain
    maps: Mapping[str, NftSet]


REMOTE_CLASS = {Direction.EGRESS: "class-of-destination", Direction.INGRESS: "class-of-source"}
"""The chains that put the class of the remote address into the mark."""


def remote_class(direction: Direction) -> Chain:
    """Such a chain; a look-up that misses leaves the mark as it was.

    It stands apart so that a policy which changes does not mention the map: the kernel walks all elements of a map
    whenever a rule that looks into it is added.
    """
    side = _REMOTE_SIDE[direction]
    look_ups = [f"meta mark set {ip} {side} map @class{family.value}" for family, (ip, _) in ADDRESS.items()]
    return Chain(tuple(NftRule.of(text) for text in ("meta mark set 0", *look_ups)))


Lengths = Mapping[tuple[str, Family], Sequence[int]]
"""The lengths of the prefixes of each address group in each family."""


class GateWriter(NamedTuple):
    """Writes decision lists of one direction as chains."""

    direction: Direction
    passed: str
    """The verdict for what is allowed."""
    lengths: Lengths

    def write(self, name: str, gate: Gate) -> RenderedGate:
        """The chain ``name`` of a decision list.

        The last layer of every kind of packet covers everything. Where it says the same for all kinds, one rule at the
        end does: a packet with ports that comes that far can match nothing made for packets without, since whatever
        covers both is there for either.
        """
        layers, rest = _layers(gate)
        look_ups = self._look_ups(name, layers)
        by_class = any(_names_a_class(layer) for _, _, layer in layers)
        rules = [NftRule.of(f"jump {REMOTE_CLASS[self.direction]}")] if by_class else []
        for kind, depth, layer in layers:
            found = look_ups.get((kind, depth), [])
            single = [box for box in layer if not (found and box.is_plain)]
            rules += (rule for box in single for rule in self._box_rules(box, kind))
            rules += (NftRule.of(f"{each.key} vmap @{each.name}") for each in found)
        if rest:
            rules.append(NftRule.of(f"counter {self._verdict(rest)}", rest.rule_id))
        return RenderedGate(Chain(tuple(rules)), {it.name: it.content for found in look_ups.values() for it in found})

    def maps(self, name: str, gate: Gate) -> dict[str, NftSet]:
        """The maps alone that go with the chain ``name``."""
        look_ups = self._look_ups(name, _layers(gate)[0])
        return {it.name: it.content for found in look_ups.values() for it in found}

    def _look_ups(self, name: str, layers: Iterable[_Placed]) -> dict[tuple[Kind, int], list[_LookUp]]:
        """The layers that are maps. What an address group narrows down is a rule all the same."""
        found = {}
        for kind, depth, layer in layers:
            plain = tuple(box for box in layer if box.is_plain)
            if len(plain) > _FEW:
                made = self._contents([(box, each) for box in plain for each in _protocols(box, kind)], kind)
                found[kind, depth] = [_LookUp(key, it, layer_map(name, kind, depth, it)) for key, it in made]
        return found

    def _contents(self, spread: Sequence[_Spread], kind: Kind) -> list[tuple[str, NftSet]]:
        """A layer as one map, or as one a protocol where its key would have too many parts."""
        key, content = self._look_up(spread, kind)
        if len(content.fields) <= _MOST_PARTS:
            return [(key, content)]
        protocols = sorted({each for _, each in spread})
        return [self._look_up([it for it in spread if it[1] == protocol], kind) for protocol in protocols]

    def _verdict(self, box: Box) -> str:
        return self.passed if box.action is Action.ALLOW else DROPPED

    def _box_rules(self, box: Box, kind: Kind) -> Iterator[NftRule]:
        ip, address = ADDRESS[kind.family]
        remote, local = f"{ip} {_REMOTE_SIDE[self.direction]}", f"{ip} {_LOCAL_SIDE[self.direction]}"
        everywhere = (0, kind.family.top)
        for protocols in _protocols(box, kind):
            matches = [
                ("meta mark", Field.MARK, box.peers, ANY_CLASS),
                (remote, address, box.addresses, everywhere),
                (local, address, box.locals, everywhere),
                ("meta l4proto", Field.PROTOCOL, protocols, ANY_PROTOCOL),
                ("th dport", Field.SERVICE, box.ports, ANY_PORT),
                ("th sport", Field.SERVICE, box.sources, ANY_PORT),
            ]
            texts = [f"{what} {render_part(field, part)}" for what, field, part, whole in matches if part != whole]
            head = [f"meta nfproto {kind.family}", *texts]
            for groups in product(
                self._in_group(remote, box.remote_group, kind.family),
                self._in_group(local, box.local_group, kind.family),
            ):
                yield NftRule.of(" ".join([*head, *filter(None, groups), "counter", self._verdict(box)]), box.rule_id)

    def _in_group(self, address: str, group: str, family: Family) -> list[str]:
        """What matches an address in a group, once for each length of its prefixes."""
        if not group:
            return [""]
        texts = []
        for length in self.lengths[group, family]:
            mask = Address(family, family.top ^ family.top >> length)
            masked = f" & {mask}" if length < family.bits else ""
            texts.append(f"{address}{masked} @{address_set(group, family, length)}")
        return texts

    def _look_up(self, spread: Sequence[_Spread], kind: Kind) -> tuple[str, NftSet]:
        ip, address = ADDRESS[kind.family]
        everywhere = (0, kind.family.top)
        remote = f"{ip} {_REMOTE_SIDE[self.direction]}"
        parts = [_Part(remote, address, tuple(box.addresses for box, _ in spread))]
        if any(box.peers != ANY_CLASS for box, _ in spread):
            parts.append(_Part("meta mark", Field.MARK, tuple(box.peers for box, _ in spread)))
        if any(box.locals != everywhere for box, _ in spread):
            local = f"{ip} {_LOCAL_SIDE[self.direction]}"
            parts.append(_Part(local, address, tuple(box.locals for box, _ in spread)))
        if kind.ported:
            parts.append(_Part("th dport", Field.SERVICE, tuple(box.ports for box, _ in spread)))
        if any(box.sources != ANY_PORT for box, _ in spread):
            parts.append(_Part("th sport", Field.SERVICE, tuple(box.sources for box, _ in spread)))
        protocols = _Part("meta l4proto", Field.PROTOCOL, tuple(each for _, each in spread))
        match = ""
        if kind.ported and len(set(protocols.intervals)) == 1:
            match = f"meta l4proto {protocols.intervals[0][0]} "
        else:
            parts.append(protocols)
        parts.sort(key=lambda part: part.crowding)
        keys: Iterator[Key] = zip(*(part.intervals for part in parts), strict=True)
        elements = {key: Element(self._verdict(box), box.rule_id) for key, (box, _) in zip(keys, spread, strict=True)}
        content = NftSet(tuple(part.field for part in parts), "verdict", interval=True, elements=elements)
        return match + " . ".join(part.text for part in parts), content


_Placed = tuple[Kind, int, Layer]
"""A layer with its kind of packet and its depth."""
_Spread = tuple[Box, Interval]
"""A box, and one of the protocols that it is written for."""


def _layers(gate: Gate) -> tuple[list[_Placed], Box | None]:
    """The layers to write, and what decides the rest if that is the same for all kinds of packet."""
    rests = {kind: gate[kind][-1][0] for kind in KINDS}
    common = len({(rest.rule_id, rest.action) for rest in rests.values()}) == 1
    layers = [
        (kind, depth, layer) for kind in KINDS for depth, layer in enumerate(gate[kind][:-1] if common else gate[kind])
    ]
    return layers, rests[KINDS[0]] if common else None


def _names_a_class(layer: Layer) -> bool:
    return any(box.peers != ANY_CLASS for box in layer)


def _protocols(box: Box, kind: Kind) -> list[Interval]:
    """What is made for packets with ports names both protocols that have them, so that no other packet matches it."""
    every = kind.ported and box.protocols == ANY_PROTOCOL
    return [(number, number) for number in _PORTED] if every else [box.protocols]


class _LookUp(NamedTuple):
    """A layer as a map, and the expression whose value is looked up in it."""

    key: str
    content: NftSet
    name: str


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
