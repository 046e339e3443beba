"""What rules say against what runs: ports that nothing listens on, and rules that nothing has hit."""

from __future__ import annotations

from collections.abc import Iterator

from ringfence.analysis.lint.finding import Finding, Fix, Severity, at_rule
from ringfence.analysis.lint.lockout import is_loopback
from ringfence.analysis.lint.subject import Listening, Subject
from ringfence.model.group import SecurityGroup
from ringfence.model.port_list import resolved
from ringfence.model.rule import Rule
from ringfence.model.service import PortRange

NOTHING_LISTENS, NEVER_HIT = "nothing-listens", "never-hit"
_SHOWN = 3
_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


def nothing_listens(subject: Subject) -> Iterator[Finding]:
    """Ports that a rule opens and members of the group do not serve, as far as it is known what they serve."""
    known = subject.listening or {}
    for group in subject.groups():
        members = sorted({port.instance for port in subject.members[group.name]} & known.keys())
        for rule in subject.lets_in(group) if members else ():
            yield from _unserved(subject, known, group, rule, members)


def _unserved(
    subject: Subject, known: Listening, group: SecurityGroup, rule: Rule, members: list[str]
) -> Iterator[Finding]:
    ports = resolved(rule.ports, subject.world.port_lists)
    for wanted in ports.ranges if ports else ():
        lacking = [name for name in members if not _serves(known, name, rule, wanted)]
        if not lacking:
            continue
        nobody = len(lacking) == len(members)
        who = f"no member of {group.name}" if nobody and len(members) > 1 else f"nothing at {_some(lacking)}"
        local = any(_serves(known, name, rule, wanted, loopback=True) for name in lacking)
        text = f"{rule.protocol}/{wanted} is open, and {who} listens on it{' but on loopback' if local else ''}"
        fix = Fix("start the service, or close the port" if nobody else "put what serves it into a group of its own")
        severity = Severity.WARNING if nobody else Severity.NOTE
        yield Finding(NOTHING_LISTENS, severity, at_rule(group, rule), text, fix, str(wanted))


def _serves(known: Listening, instance: str, rule: Rule, wanted: PortRange, *, loopback: bool = False) -> bool:
    return any(
        it.service.protocol == rule.protocol and it.service.port in wanted and is_loopback(it) is loopback
        for it in known[instance]
        if it.service.port is not None
    )


def _some(names: list[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def never_hit(subject: Subject) -> Iterator[Finding]:
    """Rules that no packet has matched since they are counted; those that say already why are left out."""
    if subject.hits is None:
        return
    since = span_of(subject.hits.seconds)
    for group in subject.groups():
        told = {each.rule_id for each in subject.removable[group.name]}
        for rule_id, rule in group.by_id.items() if subject.members[group.name] else ():
            if rule.enabled and rule_id not in told and not subject.hits.packets.get(rule_id):
                text = f"no packet has matched it in {since}"
                fix = Fix("if that is long enough to see all that uses it, remove it")
                yield Finding(NEVER_HIT, Severity.NOTE, at_rule(group, rule), text, fix)


def span_of(seconds: float) -> str:
    """How long something took, in its largest unit: ``3 days``."""
    size, unit = next((it for it in _UNITS if seconds >= it[0]), _UNITS[-1])
    number = int(seconds // size)
    return f"{number} {unit}{'' if number == 1 else 's'}"
