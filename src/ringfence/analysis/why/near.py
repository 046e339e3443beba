"""Near misses: the rules that come nearest to allowing a flow that is denied, and what keeps each from it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from ringfence.analysis.why.causes import Cause
from ringfence.analysis.why.edits import edited
from ringfence.analysis.why.lines import Beside, Gate, Kind, Line, lines_at
from ringfence.analysis.why.words import words
from ringfence.model.acl import AclRule
from ringfence.model.rule import Action, Rule
from ringfence.policy.decisions import (
    Decision,
    acl_decisions,
    border_decisions,
    class_of,
    decisions,
    peering_decisions,
)
from ringfence.policy.matching import Respect, missed

MOST = 5
"""So many near misses are told of one place."""
_CAUSES: dict[Kind, Cause] = {
    Beside.DIRECTION: Cause.DIRECTION,
    Beside.INTERFACE: Cause.INTERFACE,
    Beside.DISABLED: Cause.DISABLED,
    Beside.PRIORITY: Cause.PRIORITY,
    Beside.MEMBERSHIP: Cause.MEMBERSHIP,
    Respect.PROTOCOL: Cause.PROTOCOL,
    Respect.FAMILY: Cause.FAMILY,
    Respect.PORT: Cause.PORT,
    Respect.SOURCE_PORT: Cause.PORT,
    Respect.LOCAL: Cause.SOURCE,
    Respect.REMOTE: Cause.SOURCE,
}
_EXACT = {Beside.DISABLED, Beside.PRIORITY}
"""What differs in these only is the right rule, however much it allows."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One respect in which a rule differs from a flow, and what it is in words."""

    kind: Kind
    text: str

    @property
    def cause(self) -> Cause:
        """The cause that it is."""
        return _CAUSES[self.kind]

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {"kind": str(self.kind), "text": self.text}


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A rule that would allow the flow, but for its differences.

    ``group`` is whose it is: a group's, an ACL's or a firewall's. ``edited`` is the rule without the differences; one
    that is in a group that the port is not in stays as it is. ``passes`` is whether the flow would pass here then.
    """

    group: str
    rule_id: str
    rule: Rule | AclRule
    differences: tuple[Difference, ...]
    edited: Rule | AclRule
    passes: bool

    @property
    def cause(self) -> Cause | None:
        """The cause that it shows: that of its one difference, if without that the flow would pass."""
        if len(self.differences) > 1 or not (self.passes or self.differences[0].kind is Beside.PRIORITY):
            return None
        return self.differences[0].cause

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "group": self.group,
            "rule_id": self.rule_id,
            "text": str(self.rule),
            "differences": [difference.as_json() for difference in self.differences],
            "would_match": None if self.edited == self.rule else str(self.edited),
            "would_pass": self.passes,
        }


def near_misses(gate: Gate) -> tuple[NearMiss, ...]:
    """The rules that come nearest at a place that denied, the likeliest first, at most `MOST`."""
    near = [line for line in lines_at(gate) if line.is_near]
    if any(len(line.kinds) == 1 for line in near):
        near = [line for line in near if len(line.kinds) == 1]
    return tuple(_near_miss(gate, line) for line in sorted(near, key=_rank)[:MOST])


def _rank(line: Line) -> tuple[object, ...]:
    """The likeliest first: what names the service, then by the order of causes.

    What is for a part of the other family is behind what is for other addresses: there may be a rule for each.
    """
    exact = line.names_it or line.kinds[0] in _EXACT
    first = Respect.REMOTE if line.kinds[0] is Respect.FAMILY and line.elsewhere else line.kinds[0]
    return not exact, _CAUSES[first].place, line.elsewhere, line.owner, line.rule_id


def _near_miss(gate: Gate, line: Line) -> NearMiss:
    changed = edited(gate, line)
    differences = tuple(Difference(kind, words(gate, line, kind)) for kind in line.kinds)
    return NearMiss(line.owner, line.rule_id, line.rule, differences, changed, _passes(gate, line, changed))


def _passes(gate: Gate, line: Line, changed: Rule | AclRule) -> bool:
    """Whether the flow would pass if the line were changed so, or the port were in its group."""
    if gate.is_of_groups and gate.step.rule_id.startswith("default-") and Beside.MEMBERSHIP not in line.kinds:
        return True  # where no line matched, the one that does decides
    listed = _with_rule(gate, line, changed) if isinstance(changed, Rule) else _with_line(gate, line, changed)
    first = next(decision for decision in listed if missed(decision, gate.asked) is None)
    return first.action is Action.ALLOW


def _with_rule(gate: Gate, line: Line, changed: Rule) -> tuple[Decision, ...]:
    """What the groups decide by with a rule changed; one of a group that the port is not in, as if it were."""
    near, world = gate.asked.near, gate.policy.world
    assert near.vpc
    assert near.port
    assert gate.direction
    group, of = world.groups[line.owner], class_of(near.vpc, near.port)
    others = tuple(rule for rule_id, rule in group.by_id.items() if rule_id != line.rule_id)
    names = of.groups if line.owner in of.groups else (*of.groups, line.owner)
    known = {name: world.groups[name] for name in names} | {line.owner: replace(group, rules=(*others, changed))}
    return decisions(near.vpc, known, world.port_lists, of._replace(groups=names), gate.direction)


def _with_line(gate: Gate, line: Line, changed: AclRule) -> tuple[Decision, ...]:
    """What an ACL, enabled, or a firewall decides by with a line changed."""
    world, place = gate.policy.world, gate.step.place
    lines = tuple(changed if other == line.rule else other for other in gate.lines)
    if gate.acl and gate.asked.near.vpc and gate.direction:
        acl = replace(gate.acl, rules=lines, enabled=True)
        return acl_decisions(acl, gate.asked.near.vpc.profile, gate.direction)
    if gate.direction:
        return border_decisions(replace(world.vpcs[place], border=lines), gate.direction)
    return peering_decisions(replace(world.peerings[place], firewall=lines))
