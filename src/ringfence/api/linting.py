"""The route that tells what an expert would say of an account's groups."""

from __future__ import annotations

from collections.abc import Iterator

from ringfence.analysis.lint.finding import Severity
from ringfence.analysis.lint.registry import CHECKS
from ringfence.analysis.lint.report import Told
from ringfence.api.call import Answer, Call
from ringfence.api.route import AS_OF, Parameter, Route, Schema
from ringfence.control.linting import findings
from ringfence.control.reading import require_analysis
from ringfence.control.view import View
from ringfence.errors import FieldProblem, InvalidFields
from ringfence.ram import actions as ram

_SEVERITIES = {severity.word: severity for severity in Severity}
_TEXTS = ("kind", "name", "rule_id", "rule", "reason", "fix", "example", "fingerprint")
_FINDING: Schema = {
    "type": "object",
    "required": ["check", "severity", *_TEXTS, "line", "fixable"],
    "properties": {
        "check": {"enum": [check.name for check in CHECKS]},
        "severity": {"enum": list(_SEVERITIES)},
        **{name: {"type": "string"} for name in _TEXTS},
        "line": {"type": "integer", "description": "in a world file; 0, as this is of none"},
        "fixable": {"type": "boolean", "description": "whether it may go, and no packet is judged otherwise"},
    },
}
_FINDINGS: Schema = {
    "type": "object",
    "required": ["findings"],
    "properties": {"findings": {"type": "array", "items": _FINDING}},
}


def routes() -> Iterator[Route]:
    """The route."""
    yield Route(
        "GET",
        "/v1/lint",
        "lint",
        "What is risky, needless, contradictory, unused or without effect in the account's groups, the gravest first.",
        (ram.DESCRIBE_FINDINGS,),
        _lint,
        (Parameter("severity", "only what is at least as grave", {"enum": list(_SEVERITIES)}), AS_OF),
        answer=_FINDINGS,
        is_long=True,
    )


def _lint(call: Call) -> Answer:
    require_analysis(call.control, call.caller, ram.DESCRIBE_FINDINGS, lambda: call.state)
    word = call.query.get("severity", Severity.NOTE.word)
    if word not in _SEVERITIES:
        right = f"use {', '.join(_SEVERITIES)}"
        raise InvalidFields((FieldProblem("severity", f"{word!r} is no severity", right, value=word),))
    found = findings(View(call.state, call.caller.account))
    told = [Told.of(it).as_json() for it in found if it.severity.reaches(_SEVERITIES[word])]
    return Answer({"findings": told})
