"""What is in force: agents report what they enforce, and operators ask whether a revision is in force everywhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ringfence.api.call import Answer, Call
from ringfence.api.route import Parameter, Route
from ringfence.control.enforcement import DRIFT, FAILED, OK, STOPPED
from ringfence.errors import UnknownRevision
from ringfence.ram import actions as ram
from ringfence.ram.arn import AGENT

_NUMBER = {"type": "integer", "minimum": 0}
_IN_FORCE = {
    "type": "object",
    "required": ["revision", "enforced"],
    "properties": {"revision": _NUMBER, "enforced": {"type": "boolean"}},
}
_REPORT: dict[str, Any] = {
    "type": "object",
    "required": ["agent", "revision", "status"],
    "properties": {
        "agent": {"type": "string", "minLength": 1, "maxLength": 128},
        "revision": {"type": "integer", "minimum": 0},
        "status": {"enum": [OK, FAILED, DRIFT, STOPPED]},
        "detail": {"type": "string", "maxLength": 4096},
    },
    "additionalProperties": False,
}

_TOLD = {**_REPORT["properties"], "at": {"type": "string"}}
_REPORTS = {
    "type": "object",
    "required": ["items", "revision"],
    "properties": {
        "items": {"type": "array", "items": {"type": "object", "required": list(_TOLD), "properties": _TOLD}},
        "revision": _NUMBER,
    },
}


def routes() -> Iterator[Route]:
    """The reports of agents, and what they come to."""
    yield Route(
        "GET",
        "/v1/enforcement",
        "list_enforcement",
        "What each agent enforces.",
        (ram.DESCRIBE_ENFORCEMENT,),
        _reports,
        answer=_REPORTS,
    )
    yield Route(
        "POST",
        "/v1/enforcement",
        "report_enforcement",
        "An agent tells what it enforces.",
        (ram.REPORT_ENFORCEMENT,),
        _report,
        body=_REPORT,
        answer={"type": "object", "required": ["revision"], "properties": {"revision": _NUMBER}},
    )
    revision = Parameter("wait", "seconds to wait for it", {"type": "integer", "minimum": 0, "maximum": 60})
    yield Route(
        "GET",
        "/v1/revisions/{revision}/enforcement",
        "revision_enforcement",
        "Whether a revision is in force everywhere.",
        (ram.DESCRIBE_ENFORCEMENT,),
        _in_force,
        (revision,),
        answer=_IN_FORCE,
    )


def _reports(call: Call) -> Answer:
    call.control.authority.require_kind(call.caller, ram.DESCRIBE_ENFORCEMENT, AGENT)
    tells = call.caller.operator  # details name whatever is enforced, whoever has it
    told = [
        {"agent": it.agent, "revision": it.revision, "at": it.at, "status": it.status, "detail": it.detail * tells}
        for it in call.control.enforcement.reports()
    ]
    return Answer({"items": told, "revision": call.control.state.revision})


def _report(call: Call) -> Answer:
    call.control.authority.require_kind(call.caller, ram.REPORT_ENFORCEMENT, AGENT, operators_only=True)
    said = call.checked(_REPORT)
    call.control.enforcement.report(said["agent"], said["revision"], said["status"], said.get("detail", ""))
    return Answer({"revision": call.control.state.revision})


def _in_force(call: Call) -> Answer:
    call.control.authority.require_kind(call.caller, ram.DESCRIBE_ENFORCEMENT, AGENT)
    number = call.path_number("revision")
    if number > call.control.state.revision:
        raise UnknownRevision(f"there is no revision {number}; the newest is {call.control.state.revision}")
    return Answer(
        {"revision": number, "enforced": call.control.enforcement.wait(number, call.number("wait", 0, 0, 60))}
    )
