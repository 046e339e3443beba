"""A VPC's plan as an nftables table. It only writes down: every decision is in the plan.

What all packets walk is in `chains`, what has an element for each port in `elements`, a decision list in `gates`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ringfence.backends.nftables.chains import PASSED, base_chains, has_ftp
from ringfence.backends.nftables.elements import (
    FTP,
    address_sets,
    class_element,
    member_elements,
    port_elements,
    port_sets,
)
from ringfence.backends.nftables.gates import GateWriter, Lengths, RenderedGate
from ringfence.backends.nftables.names import UPLINK, acl_chain, class_chain, firewall_chain, peer_link
from ringfence.backends.nftables.ruleset import (
    Chain,
    Element,
    Elements,
    Key,
    NftSet,
    Pair,
    Ruleset,
    RulesetChange,
    same_rules,
)
from ringfence.compile.plan import ClassPlan, Gate, VpcChange, VpcPlan, lengths_of
from ringfence.model.address import Family
from ringfence.model.rule import Direction


def render(plan: VpcPlan) -> Ruleset:
    """The table that enforces a plan."""
    sets = {**port_sets(plan), **address_sets(plan.address_groups)}
    chains, lengths = base_chains(plan), _lengths(plan)
    for name, direction, passed, gate in _gates(plan):
        written = GateWriter(direction, passed, lengths).write(name, gate)
        sets |= written.maps
        chains[name] = written.chain
    return Ruleset(sets, chains, frozenset({FTP}) if has_ftp(plan) else frozenset())


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
        _collect(elements, *(port_elements([port]) if port else {} for port in ports))
    for members in change.members.values():
        _collect(elements, *(member_elements([member]) if member else {} for member in members))
    for number, pair in change.classes.items():
        for direction in Direction:
            old_element, new_element = (class_element(number, direction) if it else None for it in pair)
            if old_element != new_element:
                elements.setdefault(str(direction), {})[((number, number),)] = old_element, new_element
    for name, entries in change.address_groups.items():
        old_sets, new_sets = (address_sets({name: prefixes}) for prefixes in entries)
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
        writer = GateWriter(direction, PASSED[direction], lengths)
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
            yield class_chain(entry.id, direction), direction, PASSED[direction], entry.gates[direction]
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
