"""Routes for world files: what an account has as one, what another one would change, and making it so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import yaml

from ringfence import worldfile
from ringfence.api.call import Answer, Call
from ringfence.api.changes import change
from ringfence.api.route import AS_OF, CHANGE, Parameter, Route, Schema
from ringfence.control.awaiting import LONGEST, SHORTEST
from ringfence.control.declaring import Applied, Words, apply, judged, read_world, require_reading
from ringfence.control.draft import Draft
from ringfence.control.explaining import Explainer
from ringfence.control.exporting import world_of
from ringfence.control.kinds import CHANGING, READING
from ringfence.control.planning import plan
from ringfence.errors import FieldProblem, InvalidFields, RingfenceError
from ringfence.model.world import World
from ringfence.ram import actions as ram
from ringfence.ram.arn import REVISION
from ringfence.resources.state import State
from ringfence.store.rows import now

YAML = "text/yaml; charset=utf-8"
_LONGEST_REASON = 500
_TRIES = 3
"""So often a file is judged before its turn while others are faster; then it is judged while they wait."""
_FILE: Schema = {"type": "object", "description": "a world file: see docs/world-file.md"}
_OBJECTS: Schema = {"type": "array", "items": {"type": "object"}}
_CHANGES: Schema = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["do", "kind", "name", "fields"],
        "properties": {
            "do": {"enum": ["create", "change", "delete"]},
            "kind": {"type": "string"},
            "name": {"type": "string"},
            "id": {"type": "string"},
            "fields": {"type": "object", "description": "each with before and after, as far as there is one"},
        },
    },
}
_TEXTS: Schema = {"type": "array", "items": {"type": "string"}}
_TURNED: Schema = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["from", "to", "family", "services", "example", "because"],
        "properties": {
            **dict.fromkeys(("from", "to", "services"), _TEXTS),
            **{name: {"type": "string"} for name in ("family", "example")},
            "because": {"type": ["object", "null"], "description": "the step of the path that makes the difference"},
        },
    },
}
_ENDING: Schema = {
    "type": "array",
    "description": "connections that would be cut, of all that could have begun, and for how long their keys are held",
    "items": {
        "type": "object",
        "required": ["from", "to", "family", "services", "example", "because", "hold"],
        "properties": {
            **dict.fromkeys(("from", "to", "services"), _TEXTS),
            **{name: {"type": "string"} for name in ("family", "example", "because")},
            "hold": {"type": "integer"},
        },
    },
}
_REACHABILITY: Schema = {
    "type": "object",
    "description": "exactly what changes in who reaches whom, each with an example and what makes the difference",
    "required": ["allowed", "denied", "connections", "left_out"],
    "properties": {
        "allowed": _TURNED,
        "denied": _TURNED,
        "connections": _ENDING,
        "left_out": {"type": "integer", "description": "sets that are not told, as there are too many"},
    },
}
_PLANNED: Schema = {
    "type": "object",
    "required": ["revision", "changes", "reachability", "expectations"],
    "properties": {
        "revision": {"type": "integer", "description": "the revision that the plan is about"},
        "changes": _CHANGES,
        "reachability": _REACHABILITY,
        "expectations": _OBJECTS,
    },
}
_APPLIED: Schema = {
    "type": "object",
    "required": ["changes", "expectations", "confirm_until", "revision", "dry_run"],
    "properties": {
        "changes": _CHANGES,
        "expectations": _OBJECTS,
        "confirm_until": {"type": ["string", "null"], "description": "when it is taken back unless it is confirmed"},
        "revision": {"type": "integer"},
        "dry_run": {"type": "boolean"},
        "enforced": {"type": "boolean"},
    },
}
_REASON: Schema = {"type": "string", "minLength": 1, "maxLength": _LONGEST_REASON}
_SECONDS: Schema = {"type": "integer", "minimum": SHORTEST, "maximum": LONGEST}


def routes() -> Iterator[Route]:
    """The routes."""
    yield Route(
        "GET",
        "/v1/world",
        "export_world",
        "The account's resources as a world file, in names.",
        (ram.PLAN_CHANGES, *READING),
        _export,
        (AS_OF, Parameter("format", "yaml, or json for the same as JSON", {"enum": ["yaml", "json"]})),
        answer=_FILE,
        answer_type=YAML,
        other_answers={"application/json": _FILE},
        is_long=True,
    )
    yield Route(
        "POST",
        "/v1/plan",
        "plan_changes",
        "What applying a world file would change, in resources and in who reaches whom.",
        (ram.PLAN_CHANGES, *READING),
        _plan,
        (),
        _FILE,
        "text/yaml",
        _PLANNED,
        is_long=True,
    )
    yield Route(
        "POST",
        "/v1/apply",
        "apply_changes",
        "Make the account have what a world file says, in one revision.",
        (ram.APPLY_CHANGES, ram.OVERRIDE_EXPECTATIONS, *READING, *CHANGING),
        _apply,
        (
            *CHANGE,
            Parameter("confirm", "seconds after which it is taken back unless it is confirmed", _SECONDS),
            Parameter("override_expectations", "why expectations that would not hold do not matter", _REASON),
        ),
        _FILE,
        "text/yaml",
        _APPLIED,
        is_judged=True,
    )


def _export(call: Call) -> Answer:
    state, authority = call.state, call.control.authority
    authority.require_kind(call.caller, ram.PLAN_CHANGES, REVISION)
    require_reading(authority, state, call.caller)
    form = call.query.get("format", "yaml")
    if form not in ("yaml", "json"):
        raise InvalidFields((FieldProblem("format", f"{form!r} is no format", "use yaml or json", value=form),))
    text = worldfile.dump(world_of(state, call.caller.account))
    headers = {"x-ringfence-revision": str(state.revision)}
    if form == "json":
        return Answer(yaml.safe_load(text) or {}, headers=headers)
    return Answer(text.encode(), headers=headers, media_type=YAML)


def _wanted(call: Call) -> World:
    try:
        text = call.raw.decode()
    except UnicodeDecodeError as error:
        what = f"byte {error.start} of the file is not UTF-8"
        raise InvalidFields((FieldProblem("body", what, "send UTF-8 text", "request.encoding"),)) from None
    return read_world(call.control.state, call.caller.account, text)


def _plan(call: Call) -> Answer:
    control, caller = call.control, call.caller
    control.authority.require_kind(caller, ram.PLAN_CHANGES, REVISION)
    state = control.refresh()
    require_reading(control.authority, state, caller)
    made = plan(state, caller, _wanted(call), now())
    explainer = Explainer(made.views[1])
    told = {
        "revision": state.revision,
        "changes": Words(made).all(),
        "reachability": call.service.foresight.told(*made.views),
        "expectations": [explainer.told_unmet(each) for each in explainer.unmet()],
    }
    return Answer(told, headers={"x-ringfence-revision": str(state.revision)})


def _override(call: Call) -> str:
    """Why expectations that would not hold do not matter; empty if they do."""
    found = call.query.get("override_expectations")
    if found is None:
        return ""
    if not 1 <= len(found.strip()) <= _LONGEST_REASON or not found.isprintable():
        right = f"say why in 1 to {_LONGEST_REASON} characters: it goes into the audit"
        raise InvalidFields((FieldProblem("override_expectations", f"{found!r} is no reason", right, value=found),))
    return found.strip()


def _apply(call: Call) -> Answer:
    call.control.authority.require_kind(call.caller, ram.APPLY_CHANGES, REVISION)
    confirm = call.number("confirm", SHORTEST, SHORTEST, LONGEST) if "confirm" in call.query else None
    override = _override(call)
    with call.service.judging:  # to read a large file takes the processor as well
        wanted = _wanted(call)

    known: _Judged | None = None

    def work(draft: Draft) -> dict[str, Any]:
        require_reading(call.control.authority, draft.state, call.caller)
        found = known.at(draft.state) if known else None
        made = apply(draft, wanted, confirm=confirm, override=override, known=found)
        return made.told | {"confirm_until": draft.confirm_until}

    for _ in range(_TRIES):
        known = _judged(call, wanted)
        with suppress(_MovedOn):
            return change(call, ram.APPLY_CHANGES.name, work)
    known = None
    return change(call, ram.APPLY_CHANGES.name, work)


class _MovedOn(Exception):
    """There is a newer revision than the one that was judged."""


@dataclass(frozen=True)
class _Judged:
    """What applying a file to a state comes to, or why that is refused."""

    state: State
    found: Applied | RingfenceError

    def at(self, state: State) -> Applied:
        """That, if it is of this state; raises `_MovedOn`, and what it is refused for."""
        if state is not self.state:
            raise _MovedOn
        if isinstance(self.found, RingfenceError):
            raise self.found
        return self.found


def _judged(call: Call, wanted: World) -> _Judged:
    """What applying a file comes to, before anybody has to wait for it."""
    with call.service.judging:
        state = call.control.refresh()
        try:
            found = judged(state, call.caller, wanted, now())
            _ = found.told
        except RingfenceError as error:
            return _Judged(state, error)
    return _Judged(state, found)
