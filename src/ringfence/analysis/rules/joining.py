"""Rules that might stand in place of others: joined from several, or one without a part of it.

They are proposals. Whether a group means the same with one of them is for `ringfence.analysis.rules.trial` to prove.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

from ringfence.model.address import Family, Prefix
from ringfence.model.profile import Profile
from ringfence.model.rule import AnyRemote, Rule
from ringfence.model.service import ALL_PORTS, PortRange, PortSet, Protocol

_LONGEST = 512
"""A description may have that many characters."""
_WIDEST = 24
"""All runs of the port ranges of so many rules are tried, of more only neighbours and the whole."""
_EVERY_PORT = PortRange(1, 65535)
_WHOLE = {family: Prefix(family, 0, 0) for family in Family}


class Joint(NamedTuple):
    """A rule that might stand in place of others."""

    rule: Rule
    parts: tuple[Rule, ...]


def proposals(rules: Sequence[Rule], others: Iterable[Rule], profile: Profile) -> tuple[Rule, ...]:
    """What might stand in place of some rules; nothing that is among these or among others already."""
    return tuple({joint.rule.key: joint.rule for joint in joints(rules, others, profile, _WIDEST)}.values())


def joints(rules: Sequence[Rule], others: Iterable[Rule], profile: Profile, widest: int = 0) -> tuple[Joint, ...]:
    """The same with what each might stand for.

    That is one rule, two that are neighbours in what they differ in, or all that differ in it; of rules that differ in
    their ports alone and are no more than ``widest``, any run of neighbours.
    """
    known = {rule.key for rule in (*rules, *others)}
    made = [*_narrower(rules, profile), *_by_ports(rules, profile, widest), *_by_remote(rules), *_by_protocol(rules)]
    return tuple(joint for joint in made if joint.rule.key not in known)


def _narrower(rules: Iterable[Rule], profile: Profile) -> Iterator[Joint]:
    """Rules of one family where there are two, and with a port range less where each of them counts."""
    for rule in rules:
        if rule.size.families > 1:
            yield from (Joint(replace(rule, remote=whole, given_id=""), (rule,)) for whole in _WHOLE.values())
        if profile.port_range_counts and isinstance(rule.ports, PortSet) and len(rule.ports.ranges) > 1:
            for each in rule.ports.ranges:
                rest = tuple(other for other in rule.ports.ranges if other != each)
                yield Joint(replace(rule, ports=PortSet(rest), given_id=""), (rule,))


def _by_ports(rules: Iterable[Rule], profile: Profile, widest: int) -> Iterator[Joint]:
    """Rules that differ in their ports alone: with the ports of several, and with all that lies between these."""
    for alike in _alike(
        [rule for rule in rules if rule.protocol.has_ports and isinstance(rule.ports, PortSet)], "ports"
    ):
        ordered = sorted(alike, key=_ranges)
        for some in _runs(ordered, widest):
            ranges = _joined(each for rule in some for each in _ranges(rule))
            hull = (PortRange(ranges[0].first, max(each.last for each in ranges)),)
            for found in {ranges, hull}:
                if len(found) <= profile.port_ranges_per_rule:
                    yield from _standing_for(some, ports=ALL_PORTS if found == (_EVERY_PORT,) else PortSet(found))


def _by_remote(rules: Iterable[Rule]) -> Iterator[Joint]:
    """Rules that differ in their remote alone: with the smallest prefix around two of them, or with any."""
    named = [rule for rule in rules if isinstance(rule.remote, Prefix)]
    for alike in _alike(named, "remote"):
        ordered = sorted(alike, key=lambda rule: (str(rule.remote.__class__), rule.remote))
        for one, two in pairwise(ordered):
            around = _around(one.remote, two.remote)
            if around is not None:
                yield from _standing_for([one, two], remote=around)
        wholes = [rule for rule in alike if rule.remote in _WHOLE.values()]
        if len({rule.remote for rule in wholes}) > 1:
            yield from _standing_for(wholes, remote=AnyRemote.ANY)


def _around(one: object, two: object) -> Prefix | None:
    if not isinstance(one, Prefix) or not isinstance(two, Prefix) or one.family is not two.family:
        return None
    length = min(one.length, two.length, one.family.bits - (one.network ^ two.network).bit_length())
    rest = one.family.bits - length
    return Prefix(one.family, one.network >> rest << rest, length)


def _by_protocol(rules: Iterable[Rule]) -> Iterator[Joint]:
    """Rules for all ports that differ in their protocol alone: of all protocols."""
    for alike in _alike([rule for rule in rules if not rule.ports], "protocol"):
        if len(alike) > 1:
            yield from _standing_for(alike, protocol=Protocol.ALL)


def _alike(rules: Iterable[Rule], free: str) -> Iterator[list[Rule]]:
    """Rules that agree in all but one part, their priority and what does not count."""
    parts = ("direction", "action", "protocol", "ports", "remote", "local", "source_ports", "nic")
    found: dict[Hashable, list[Rule]] = defaultdict(list)
    for rule in rules:
        found[tuple(getattr(rule, part) for part in parts if part != free)].append(rule)
    return (alike for alike in found.values() if len(alike) > 1)


def _runs(ordered: Sequence[Rule], widest: int) -> Iterator[Sequence[Rule]]:
    count = len(ordered)
    lengths = range(2, count + 1) if count <= widest else sorted({2, count})
    for length in lengths:
        yield from (ordered[start : start + length] for start in range(count - length + 1))


def _standing_for(rules: Sequence[Rule], **changed: object) -> Iterator[Joint]:
    """One rule for several, as strong as the strongest and as the weakest of them."""
    texts = list(dict.fromkeys(rule.description for rule in rules if rule.description))
    description = "; ".join(texts)[:_LONGEST]
    for priority in {min(rule.priority for rule in rules), max(rule.priority for rule in rules)}:
        given = {**changed, "priority": priority, "description": description, "given_id": ""}
        yield Joint(replace(rules[0], **given), tuple(rules))  # type: ignore[arg-type]  # fields by their names


def _ranges(rule: Rule) -> tuple[PortRange, ...]:
    return (rule.ports.ranges or (_EVERY_PORT,)) if isinstance(rule.ports, PortSet) else ()


def _joined(ranges: Iterable[PortRange]) -> tuple[PortRange, ...]:
    found: list[PortRange] = []
    for each in sorted(ranges):
        if found and each.first <= found[-1].last + 1:
            found[-1] = PortRange(found[-1].first, max(found[-1].last, each.last))
        else:
            found.append(each)
    return tuple(found)
