"""Why: a verdict told to people. Where `evaluate` decides, this only says it."""

from __future__ import annotations

from ringfence.model.flow import Endpoint
from ringfence.model.rule import Action
from ringfence.policy.verdict import Stage, Step, Verdict

_TITLES = {
    Stage.LOCAL: "same instance",
    Stage.ROUTE: "on the route",
    Stage.EGRESS: "out of",
    Stage.INGRESS: "into",
}


def explain(verdict: Verdict) -> str:
    """The path of one flow, a paragraph a stage, ending in a sentence that names what decided."""
    flow = verdict.flow
    ends = f"{_end(flow.source)} -> {_end(flow.destination)}"
    lines = [f"{ends}  {flow.service}  {str(verdict.action).upper()}", ""]
    for number, step in enumerate(verdict.steps, 1):
        lines += [f"  {number}. {line}" if not index else f"     {line}" for index, line in enumerate(_told(step))]
    return "\n".join([*lines, "", _conclusion(verdict)])


def _end(endpoint: Endpoint) -> str:
    named = str(endpoint) != str(endpoint.address)
    return f"{endpoint} ({endpoint.address})" if named else str(endpoint)


def _told(step: Step) -> list[str]:
    port = f" {step.port}" if step.port else ""
    groups = f" (groups: {', '.join(step.port.groups)})" if step.port and step.stage is not Stage.LOCAL else ""
    lines = [f"{_TITLES[step.stage]}{port}{groups}: {step.action}"]
    lines.append(f"  by {_by(step.group, step.rule_id)}: {step.text}")
    lines += [f"  too late: {_by(late.group, late.rule_id)}: {late.text}" for late in step.late]
    return lines


def _by(group: str, rule_id: str) -> str:
    return f"{group} {rule_id}" if group else rule_id


def _conclusion(verdict: Verdict) -> str:
    if verdict.allowed and verdict.decided_by.stage in (Stage.LOCAL, Stage.ROUTE):
        return f"Allowed: {verdict.decided_by.text}."
    if verdict.allowed:
        return "Allowed: every stage lets the first packet through, and replies follow by connection tracking."
    step = verdict.decided_by
    others = [other for other in verdict.steps if other.action is Action.DENY and other is not step]
    also = f" (and also {', '.join(map(_where, others))})" if others else ""
    return f"Denied {_where(step)}{also}: {step.text}."


def _where(step: Step) -> str:
    return f"{_TITLES[step.stage]} {step.port}" if step.port else _TITLES[step.stage]
