"""The lines of network ACLs, changed as requests say; and how an ACL is told, with them and without."""

from __future__ import annotations

from typing import Any, cast

from ringfence.control import lines
from ringfence.control.draft import Draft
from ringfence.control.lines import Line, Place
from ringfence.errors import NotFound
from ringfence.model.acl import NetworkAcl
from ringfence.model.rule import Direction
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource
from ringfence.wire.huawei.members import invalid
from ringfence.wire.huawei.narrowing import PROJECT
from ringfence.wire.huawei.operation import Call
from ringfence.wire.huawei.tagged import tags_of
from ringfence.wire.huawei.telling import time_of
from ringfence.wire.huawei.v3.acl_lines import KEYS, changed_line, line_of, line_told


def insert(call: Call, draft: Draft, acl: Resource) -> None:
    """Add lines before all others, or after one."""
    said = call.json["firewall"]
    after = said.get("insert_after_rule")
    wanted = [way for way, key in KEYS.items() if said.get(key)]
    if not wanted or (after and len(wanted) > 1):
        raise invalid("firewall", "give ingress_rules or egress_rules; both only without insert_after_rule", None)
    for way in wanted:
        if after:
            _line(acl, way, after, "insert_after_rule")
        new = [line_of(draft, each, way) for each in said[KEYS[way]]]
        lines.insert_lines(draft, Kind.ACL, acl.id, new, Place(after=after) if after else Place(first=True))


def change(call: Call, draft: Draft, acl: Resource) -> None:
    """Have lines say something else, each once: what is not said of a line stays as it was."""
    ids = [said["id"] for _, said in _each(call)]
    if len(set(ids)) < len(ids):
        raise invalid("id", "name each line once", ids)
    for way, said in _each(call):
        line = _line(acl, way, said["id"], "id")
        own = {name: value for name, value in said.items() if name != "id"}
        lines.change_line(draft, Kind.ACL, acl.id, line.id, changed_line(draft, line, own))


def remove(call: Call, draft: Draft, acl: Resource) -> None:
    """Remove lines."""
    gone = [_line(acl, way, said["id"], "id").id for way, said in _each(call)]
    lines.remove_lines(draft, Kind.ACL, acl.id, gone)


def _each(call: Call) -> list[tuple[Direction, dict[str, Any]]]:
    """What a body says of lines, with their directions."""
    said = call.json["firewall"]
    found = [(way, each) for way, key in KEYS.items() for each in said.get(key) or ()]
    if not found:
        raise invalid("firewall", "give ingress_rules or egress_rules", None)
    return found


def _line(acl: Resource, way: Direction, id_: str, field: str) -> Line:
    for line in lines.lines(acl):
        if (line.id, line.rule.direction) == (id_, way):
            return line
    raise NotFound(f"{acl.key} has no {way} line {id_!r}", field=field, value=id_, kind="line")


# --- told


def with_lines(acl: Resource, subnets: list[str]) -> dict[str, Any]:
    """A network ACL with its lines."""
    found = lines.lines(acl)
    return shown(acl, subnets) | {
        key: [line_told(line) for line in found if line.rule.direction is way] for way, key in KEYS.items()
    }


def shown(acl: Resource, subnets: list[str]) -> dict[str, Any]:
    """A network ACL without its lines; ``subnets`` are those that have it."""
    enabled = cast("NetworkAcl", acl.value).enabled
    return {
        "id": acl.id,
        "name": acl.name,
        "description": acl.description,
        "project_id": acl.account,
        "created_at": time_of(acl.created),
        "updated_at": time_of(acl.created),
        "admin_state_up": enabled,
        "status": "ACTIVE" if subnets else "INACTIVE",
        "enterprise_project_id": PROJECT,
        "tags": tags_of(acl),
        "associations": [{"virsubnet_id": id_} for id_ in subnets],
        "type": "normal",
    }
