"""Rules that nobody would miss, and rules that say the opposite of others (SEMANTICS.md 8.3)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ringfence.analysis.lint.finding import Finding, Fix, Removal, Severity, at_line, at_rule
from ringfence.analysis.lint.matching import never_for_good
from ringfence.analysis.lint.subject import Subject
from ringfence.analysis.rules.lines import FIELDS, shadowed_lines
from ringfence.analysis.rules.removal import Removable
from ringfence.model.group import SecurityGroup
from ringfence.model.rule import Action, Rule
from ringfence.policy.decisions import Decision

SHADOWED, REDUNDANT, CONTRADICTORY = "shadowed-rule", "redundant-rule", "contradictory-rules"
_SHOWN = 3


def shadowed_rule(subject: Subject) -> Iterator[Finding]:
    """Rules that decide nothing, as stronger ones together match all that they do; of ACLs and firewalls too."""
    for group, each in _needless(subject, shadowed=True):
        rule = group.by_id[each.rule_id]
        severity, text = _never_decides(rule.action, each.deciders)
        yield _removable(SHADOWED, severity, group, rule, text, "remove it, or make it stronger if it was to decide")
    for line in shadowed_lines(subject.world):
        if subject.owns_thing(line.section, line.name):
            severity, text = _never_decides(line.line.action, line.deciders)
            fix = Fix("remove it, or move it up if it was to decide", Removal(line.section, line.name, line=line.index))
            alike = getattr(getattr(subject.world, line.section)[line.name], FIELDS[line.section])[: line.index]
            about = str(sum(it.key == line.line.key for it in alike))
            place = at_line(line.section, line.name, line.index, line.line)
            yield Finding(SHADOWED, severity, place, text, fix, about)


def _never_decides(action: Action, deciders: tuple[Decision, ...]) -> tuple[Severity, str]:
    """How grave it is that others decide in a rule's place, and who they are."""
    deciders = _worth_naming(tuple(it for it in deciders if it.owner) or deciders)  # fixed lines are nobody's
    opposite = all(it.action is not action for it in deciders)
    severity = Severity.WARNING if any(it.action is not action for it in deciders) else Severity.NOTE
    what = f"it never decides: {_told(deciders)} {_verb(deciders, 'comes', 'come')} first and {_match(deciders)}"
    return severity, f"{what}, and {_verb(deciders, 'says', 'say')} the opposite" if opposite else what


def redundant_rule(subject: Subject) -> Iterator[Finding]:
    """Rules without which others of the group, or its default, decide alike."""
    for group, each in _needless(subject, shadowed=False):
        rule, named = group.by_id[each.rule_id], _worth_naming(each.deciders)
        text = f"without it {_told(named)} {_verb(named, 'decides', 'decide')} alike"
        found = _removable(REDUNDANT, Severity.NOTE, group, rule, text, "remove it")
        if all(it.owner for it in each.deciders):
            yield found
        else:  # a port may join a group that says otherwise, before the default is asked
            yield replace(found, fix=Fix("remove it, unless it is there for ports that are in other groups too"))


def _needless(subject: Subject, *, shadowed: bool) -> Iterator[tuple[SecurityGroup, Removable]]:
    for group in subject.groups():
        lost = {rule_id for rule_id, _ in _lost(group)}
        for each in subject.removable[group.name]:
            told = each.rule_id in lost or never_for_good(subject, group, group.by_id[each.rule_id])
            if _is_shadowed(group, each) is shadowed and not told:
                yield group, each


def _is_shadowed(group: SecurityGroup, each: Removable) -> bool:
    """Whether stronger rules decide in its place. Of rules that are equally strong, order means nothing."""
    deciding = (group.by_id[it.rule_id] for it in each.deciders if it.rule_id in group.by_id)
    return each.shadowed and all(_rank(it) < _rank(group.by_id[each.rule_id]) for it in deciding)


def _rank(rule: Rule) -> tuple[int, bool]:
    return rule.priority, rule.action is Action.ALLOW


def contradictory_rules(subject: Subject) -> Iterator[Finding]:
    """Pairs of rules that match the same and say the opposite: which of them wins."""
    for group in subject.groups():
        removable = {each.rule_id for each in subject.removable[group.name]}
        for rule_id, winner in _lost(group):
            rule = group.by_id[rule_id]
            why = "a deny wins a tie" if rule.priority == winner.priority else f"priority {winner.priority} is stronger"
            text = f"'{winner.key}' matches the same and says the opposite; it wins, as {why}"
            finding = _removable(CONTRADICTORY, Severity.WARNING, group, rule, text, "remove the one that is not meant")
            yield finding if rule_id in removable else replace(finding, fix=Fix(finding.fix.text))


def _lost(group: SecurityGroup) -> Iterator[tuple[str, Rule]]:
    """The ids of rules that lose against one with the same key, and that one."""
    strongest: dict[tuple[str, str], Rule] = {}
    ranked = sorted((it for it in group.by_id.items() if it[1].enabled), key=lambda it: _rank(it[1]))
    for rule_id, rule in ranked:
        winner = strongest.setdefault(_matched(rule), rule)
        if winner.action is not rule.action:
            yield rule_id, winner


def _matched(rule: Rule) -> tuple[str, str]:
    """What a rule matches: its key without what it says and how strongly."""
    direction, _, rest = rule.key.split(" ", 2)
    return direction, rest.rpartition(" priority ")[0]


def _removable(check: str, severity: Severity, group: SecurityGroup, rule: Rule, text: str, fix: str) -> Finding:
    removal = Removal("groups", group.name, rule.id_in(group.name))
    return Finding(check, severity, at_rule(group, rule), text, Fix(fix, removal))


def _worth_naming(deciders: tuple[Decision, ...]) -> tuple[Decision, ...]:
    """Without what members of the group may do among themselves, where others decide as well."""
    return tuple(it for it in deciders if not _is_intra(it)) or deciders


def _is_intra(decision: Decision) -> bool:
    return decision.own_vpc


def _told(deciders: tuple[Decision, ...]) -> str:
    named = [_name(it) for it in deciders[:_SHOWN]]
    more = len(deciders) - _SHOWN
    return " and ".join([", ".join(named[:-1]), named[-1]] if len(named) > 1 else named) + (
        f" (and {more} more)" if more > 0 else ""
    )


def _name(decision: Decision) -> str:
    if _is_intra(decision):
        return "intra_group: accept"
    return f"'{decision.text}'" if decision.owner else "the default"


def _verb(deciders: tuple[Decision, ...], one: str, many: str) -> str:
    return one if len(deciders) == 1 else many


def _match(deciders: tuple[Decision, ...]) -> str:
    return "matches all that it does" if len(deciders) == 1 else "match together all that it does"
