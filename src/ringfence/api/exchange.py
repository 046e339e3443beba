"""Routes for rules as files: export, preview, import."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from ringfence.api.call import Answer, Call
from ringfence.api.changes import change
from ringfence.api.problems import shown
from ringfence.api.resources import list_schema, schema_of, told_schema
from ringfence.api.route import AS_OF, CHANGE, TRUTH, Parameter, Route, Schema
from ringfence.api.rules import told
from ringfence.control import exchange
from ringfence.control.draft import Draft
from ringfence.control.reading import find
from ringfence.errors import FieldProblem, InvalidFields, QuotaExceeded
from ringfence.exchange.values import Format, Preview
from ringfence.ram import actions as ram
from ringfence.resources.forms import FORMS
from ringfence.resources.kind import Kind

_FORMAT = Parameter("format", "json, csv or xlsx", {"enum": [each.value for each in Format], "default": "json"})
_PREVIEW = Parameter("preview", "name each row that cannot be imported, and change nothing", TRUTH)
_OPPOSITES = Parameter("opposites", "take rows that say the opposite of other rules", TRUTH)
_FILE: Schema = {"type": "string", "format": "binary"}
_ROW: Schema = {
    "type": "object",
    "required": ["row", "rule", "problems"],
    "properties": {
        "row": {"type": "integer"},
        "rule": {"type": ["string", "null"]},
        "problems": {"type": "array", "items": {"type": "object"}},
    },
}


def routes() -> Iterator[Route]:
    """The routes."""
    yield Route(
        "GET",
        "/v1/groups/{id}/rules/export",
        "export_rules",
        "The rules of a group as a file.",
        (ram.EXPORT_SECURITY_GROUP_RULES, ram.DESCRIBE_SECURITY_GROUPS),
        _export,
        (_FORMAT, AS_OF),
        answer={"type": "object", "description": "what DescribeSecurityGroupAttribute answers"},
        other_answers={
            Format.CSV.media_type: {"type": "string", "description": "a line for each rule"},
            Format.XLSX.media_type: _FILE,
        },
    )
    many = list_schema(schema_of(FORMS[Kind.RULE]))
    yield Route(
        "POST",
        "/v1/groups/{id}/rules/import",
        "import_rules",
        "Add the rules of a file to a group, all or none.",
        (
            ram.IMPORT_SECURITY_GROUP_RULES,
            ram.AUTHORIZE_SECURITY_GROUP,
            ram.AUTHORIZE_SECURITY_GROUP_EGRESS,
        ),
        _import,
        (_FORMAT, _PREVIEW, _OPPOSITES, *CHANGE),
        _FILE,
        "application/octet-stream",
        answer=told_schema(added=many, rows=list_schema(_ROW)),
    )


def _format(call: Call) -> Format:
    said = call.query.get("format", Format.JSON.value)
    if said not in {each.value for each in Format}:
        what = f"{said!r} is no format of files of rules"
        problem = FieldProblem("format", what, f"use {', '.join(Format)}", "request.parameter", said)
        raise InvalidFields((problem,))
    return Format(said)


def _export(call: Call) -> Answer:
    state, form = call.state, _format(call)
    group = find(call.control, state, call.caller, Kind.GROUP, call.path["id"])
    call.control.authority.require(call.caller, ram.EXPORT_SECURITY_GROUP_RULES, group)
    file = exchange.export_rules(state, group, form, datetime.now(UTC).date().isoformat(), call.control.region)
    disposition = {"content-disposition": f"attachment; filename*=UTF-8''{quote(file.name, safe='')}"}
    return Answer(file.content, headers=disposition, media_type=form.media_type)


def _import(call: Call) -> Answer:
    form, opposites, group = _format(call), call.flag("opposites"), call.path["id"]
    if call.flag("preview"):
        return _previewed(call, form, opposites=opposites)

    def work(draft: Draft) -> dict[str, Any]:
        read = exchange.read_rules(draft, group, form, call.raw, opposites=opposites)
        return {"added": told(exchange.import_rules(draft, group, read).added), "rows": _rows(read)}

    return change(call, ram.IMPORT_SECURITY_GROUP_RULES.name, work)


_NOTHING: dict[str, Any] = {"added": [], "reachability": None, "expectations": None}
"""What a preview tells besides the rows, where some cannot be imported: then none would be."""


def _previewed(call: Call, form: Format, *, opposites: bool) -> Answer:
    """Each row with all that is wrong with it: by itself, and beside all that is there.

    So the rows that can be read are tried also where others cannot.
    """
    group, reads = call.path["id"], list[Preview]()

    def work(draft: Draft) -> dict[str, Any]:
        read = exchange.read_rules(draft, group, form, call.raw, opposites=opposites)
        reads.append(read)
        added = exchange.try_rules(draft, group, read).added
        return {"rows": _rows(read)} | ({"added": told(added)} if read.ok else _NOTHING)

    try:
        return change(call, ram.IMPORT_SECURITY_GROUP_RULES.name, work, dry_run=True)
    except (InvalidFields, QuotaExceeded) as error:
        found = exchange.judged(reads[0], error.problems if isinstance(error, InvalidFields) else ()) if reads else None
        if found is None or found.ok:
            raise
    return Answer({"rows": _rows(found), **_NOTHING, "revision": call.control.state.revision, "dry_run": True})


def _rows(read: Preview) -> list[dict[str, Any]]:
    return [
        {
            "row": row.place,
            "rule": str(row.rule) if row.rule else None,
            "problems": [
                {
                    "field": it.field,
                    "value": shown(it.field, it.value),
                    "what": it.what,
                    "right": it.right,
                    "code": it.code,
                }
                for it in row.problems
            ],
        }
        for row in read.rows
    ]
