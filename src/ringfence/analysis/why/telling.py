"""Why: a verdict told to people. Where `evaluate` decides, this only says it."""

from __future__ import annotations

from collections.abc import Sequence

from ringfence.analysis.why.guest import Guest
from ringfence.model.flow import Endpoint
from ringfence.model.rule import Action, Direction
from ringfence.policy.verdict import Stage, Step, Verdict

TITLES = {
    Stage.LOCAL: "same instance",
    Stage.PLATFORM: "platform, at",
    Stage.EGRESS: "out of",
    Stage.ACL_EGRESS: "network ACL out of subnet",
    Stage.PEERING: "firewall on the peering",
    Stage.BORDER: "firewall at the internet border of",
    Stage.ROUTE: "on the route",
    Stage.ACL_INGRESS: "network ACL into subnet",
    Stage.INGRESS: "into",
}
"""The stages of a path in words, before the place where they are."""
_GROUPS = (Stage.EGRESS, Stage.INGRESS)
_GUARDS = (Stage.PLATFORM, Stage.ACL_EGRESS, Stage.PEERING, Stage.BORDER, Stage.ACL_INGRESS)


def explain(verdict: Verdict, guests: Sequence[Guest] = ()) -> str:
    """The path of one flow, a paragraph a stage, ending in a sentence that names what decided.

    ``guests`` is what was found inside the guests at its ends, where somebody looked.
    """
    flow = verdict.flow
    ends = f"{_end(flow.source)} -> {_end(flow.destination)}"
    lines = [f"{ends}  {flow.service}  {str(verdict.action).upper()}", ""]
    for number, step in enumerate(verdict.steps, 1):
        lines += _numbered(number, _told(step))
    for number, step in enumerate(verdict.back, len(verdict.steps) + 1):
        first, *rest = _told(step)
        lines += _numbered(number, [f"the answer: {first}", *rest])
    worth_telling = [guest for guest in guests if guest.direction is Direction.INGRESS or guest.word != "allow"]
    for number, guest in enumerate(worth_telling, len(verdict.steps) + len(verdict.back) + 1):
        lines += _numbered(number, [f"{guest}: {guest.word}", *(f"  {finding.text}" for finding in guest.findings)])
    return "\n".join([*lines, "", _conclusion(verdict), *_in_guests(verdict, guests)])


def _end(endpoint: Endpoint) -> str:
    named = str(endpoint) != str(endpoint.address)
    return f"{endpoint} ({endpoint.address})" if named else str(endpoint)


def _numbered(number: int, lines: list[str]) -> list[str]:
    return [f"  {number}. {line}" if not index else f"     {line}" for index, line in enumerate(lines)]


def _told(step: Step) -> list[str]:
    groups = f" (groups: {', '.join(step.port.groups)})" if step.port and step.stage in _GROUPS else ""
    lines = [f"{_where(step)}{groups}: {step.action}"]
    lines.append(f"  by {_by(step.group, step.rule_id)}: {step.text}")
    lines += [f"  too late: {_by(late.group, late.rule_id)}: {late.text}" for late in step.late]
    return lines


def _by(group: str, rule_id: str) -> str:
    return f"{group} {rule_id}" if group else rule_id


def _conclusion(verdict: Verdict) -> str:
    if verdict.allowed and verdict.decided_by.stage in (Stage.LOCAL, Stage.ROUTE):
        return f"Allowed: {verdict.decided_by.text}."
    if verdict.allowed and verdict.back:
        return "Allowed: every stage lets the first packet through, and the stateless ACLs let the answer back."
    if verdict.allowed:
        return "Allowed: every stage lets the first packet through, and replies follow by connection tracking."
    step = verdict.decided_by
    if verdict.arrives:
        return f"Denied on the way back: the packet arrives, its answer is dropped {_by_whom(step)}: {step.text}."
    others = [other for other in (*verdict.steps, *verdict.back) if other.action is Action.DENY and other is not step]
    also = f" (and also {', '.join(map(_by_whom, others))})" if others else ""
    return f"Denied {_by_whom(step)}{also}: {step.text}."


def _by_whom(step: Step) -> str:
    return f"by the {_where(step)}" if step.stage in _GUARDS else _where(step)


def _in_guests(verdict: Verdict, guests: Sequence[Guest]) -> list[str]:
    """What keeps the flow from working though the network would let it pass, or besides."""
    but = "But" if verdict.allowed else "Also"
    return [f"{but} denied {guest}: {guest.denied_by.text}." for guest in guests if guest.denied_by]


def _where(step: Step) -> str:
    place = step.place or (str(step.port) if step.port else "")
    return f"{TITLES[step.stage]} {place}".rstrip()
