"""Rules of security groups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ringfence.control.draft import Draft
from ringfence.control.kinds import Verb, actions_of
from ringfence.ram import actions as ram
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource
from ringfence.wire.huawei.members import Member
from ringfence.wire.huawei.narrowing import narrowed
from ringfence.wire.huawei.operation import Call, Operation, deleting
from ringfence.wire.huawei.said import DRY_RUN
from ringfence.wire.huawei.telling import RULE_MEMBERS, add_rules, rule_head, rule_of, said_rule, time_of
from ringfence.wire.request import Told

_ALL: Final = "/v3/{project_id}/vpc/security-group-rules"
_ONE: Final = f"{_ALL}/{{security_group_rule_id}}"
_BATCH: Final = "/v3/{project_id}/vpc/security-groups/{security_group_id}/security-group-rules/batch-create"

_MEMBERS: Final = (
    *RULE_MEMBERS,
    Member("multiport", (str,)),
    Member("action", (str,)),
    Member("priority", (int,)),
    Member("enabled", (bool,)),
)
_BY: Final = (
    *("id", "security_group_id", "protocol", "description", "remote_group_id", "direction", "action"),
    *("remote_ip_prefix", "priority", "ethertype", "remote_address_group_id"),
)


def operations() -> Iterator[Operation]:
    """The calls."""
    group = Member("security_group_id", (str,), required=True)
    yield Operation(
        "create_security_group_rule",
        "POST",
        _ALL,
        "Add a rule. Without a priority it gets the profile's (1, SEMANTICS.md 13.5); without a remote it is about "
        "every address of its ethertype.",
        actions_of(Verb.CREATE, Kind.RULE),
        _create,
        201,
        body=(Member("security_group_rule", (dict,), required=True, of=(group, *_MEMBERS)), DRY_RUN),
    )
    yield Operation(
        "batch_create_security_group_rules",
        "POST",
        _BATCH,
        "Add rules, all or none. Rules that are there already are refused, or left out with ignore_duplicate.",
        actions_of(Verb.CREATE, Kind.RULE),
        _create_many,
        201,
        body=(
            Member("security_group_rules", (list,), required=True, of=_MEMBERS),
            Member("ignore_duplicate", (bool,)),
            DRY_RUN,
        ),
    )
    yield Operation(
        "list_security_group_rules",
        "GET",
        _ALL,
        "The rules of all security groups. A rule of both families, as the native API makes them, has no ethertype.",
        (ram.DESCRIBE_SECURITY_GROUP_RULES,),
        _list,
        query=("limit", "marker", *_BY, "enabled"),
    )
    yield Operation("show_security_group_rule", "GET", _ONE, "A rule.", (ram.DESCRIBE_SECURITY_GROUP_RULES,), _show)
    yield Operation(
        "delete_security_group_rule",
        "DELETE",
        _ONE,
        "Delete a rule.",
        actions_of(Verb.DELETE, Kind.RULE),
        deleting(Kind.RULE, "security_group_rule_id"),
        204,
    )


def _create(call: Call) -> Told:
    said = call.json["security_group_rule"]

    def work(draft: Draft) -> Told:
        group = draft.own(Kind.GROUP, said["security_group_id"])
        (made,) = add_rules(draft, group, [_read(draft, said)])
        return {"security_group_rule": rule_told(made)}

    return call.change(work)


def _create_many(call: Call) -> Told:
    ignore = bool(call.json.get("ignore_duplicate"))

    def work(draft: Draft) -> Told:
        group = draft.own(Kind.GROUP, call.path["security_group_id"])
        said = [_read(draft, each) for each in call.json["security_group_rules"]]
        made = add_rules(draft, group, said, ignore_duplicate=ignore)
        return {"security_group_rules": [rule_told(it) for it in made]}

    return call.change(work)


def _read(draft: Draft, said: Mapping[str, Any]) -> dict[str, Any]:
    own = {name: said[name] for name in ("action", "priority", "enabled") if said.get(name) is not None}
    ports = {"ports": said["multiport"]} if said.get("multiport") else {}
    return {**said_rule(draft, said), **own, **ports}


def _list(call: Call) -> Told:
    told = map(rule_told, call.visible(Kind.RULE))
    return call.page(narrowed(call, told, _BY, ("enabled",)), "security_group_rules")


def _show(call: Call) -> Told:
    return {"security_group_rule": rule_told(call.find(Kind.RULE, call.path["security_group_rule_id"]))}


def rule_told(resource: Resource) -> dict[str, Any]:
    """A rule."""
    rule = rule_of(resource)
    return {
        **rule_head(resource),
        "multiport": str(rule.ports) or None,
        "action": rule.action.value,
        "priority": rule.priority,
        "enabled": rule.enabled,
        "project_id": resource.account,
        "created_at": time_of(resource.created),
        "updated_at": time_of(resource.created),
    }
