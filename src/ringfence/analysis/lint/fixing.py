"""The world after its safe fixes, and the proof that it means the same."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from ringfence.analysis.lint.finding import Finding, Removal
from ringfence.analysis.lint.registry import lint
from ringfence.analysis.reach.ends import Ends
from ringfence.analysis.reach.plane import Plane
from ringfence.analysis.reach.roster import OneWorld
from ringfence.analysis.rules.lines import FIELDS
from ringfence.errors import Refused
from ringfence.model.address import Family
from ringfence.model.world import World
from ringfence.policy.evaluate import Policy


def fixed(world: World, findings: Iterable[Finding]) -> World:
    """The world without what findings say may go; the same world where none does."""
    removals = [finding.fix.removal for finding in findings if finding.fix.removal]
    sections: dict[str, Any] = {"groups": _without_rules(world, removals)}
    for section, field in FIELDS.items():
        if removed := {(it.name, it.line) for it in removals if it.section == section and it.line is not None}:
            sections[section] = {
                name: _without_lines(name, it, field, removed) for name, it in getattr(world, section).items()
            }
    for section in {it.section for it in removals if it.is_whole}:
        gone = {it.name for it in removals if it.section == section and it.is_whole}
        known = sections.get(section, getattr(world, section))
        sections[section] = {name: it for name, it in known.items() if name not in gone}
    return replace(world, **sections) if removals else world


def _without_lines(name: str, owner: Any, field: str, removed: Collection[tuple[str, int | None]]) -> Any:
    kept = [line for index, line in enumerate(getattr(owner, field)) if (name, index) not in removed]
    return replace(owner, **{field: tuple(kept)})


def _without_rules(world: World, removals: Iterable[Removal]) -> Mapping[str, Any]:
    gone: dict[str, set[str]] = {}
    for it in removals:
        if it.rule_id:
            gone.setdefault(it.name, set()).add(it.rule_id)
    groups = dict(world.groups)
    for name, rule_ids in gone.items():
        kept = tuple(rule for rule in groups[name].rules if rule.id_in(name) not in rule_ids)
        groups[name] = replace(groups[name], rules=kept)
    return groups


def means_the_same(before: World, after: World) -> bool:
    """Whether every flow fares alike in two worlds that differ in rules, and in things that are gone from the second.

    Every class of ends must send and receive the same; the classes of the first world, as the second tells no more ends
    apart. Exact.
    """
    ends = Ends(before)
    for family in Family:
        roster = OneWorld(before, ends, family)
        one, two = (Plane(Policy(world), roster) for world in (before, after))
        for end in ends.of_family[family]:
            if one.sends(end) != two.sends(end) or one.receives(end) != two.receives(end):
                return False
    return True


def fixed_throughout(world: World, chosen: Callable[[Finding], bool]) -> tuple[World, tuple[Finding, ...]]:
    """The world after all safe fixes of the findings that are chosen, also of those that only then are there.

    What was fixed comes with it. Raises `Refused` if the result would not mean the same, which nothing should make so.
    """
    after, gone = world, list[Finding]()
    while found := [it for it in lint(after) if it.fix.removal and chosen(it)]:
        after = fixed(after, found)
        gone += found
    if gone and not means_the_same(world, after):
        raise Refused("the fixes would change what passes", "report this; nothing was written", reason="lint.changes")
    return after, tuple(gone)
