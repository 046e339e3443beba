"""Firewall policies, version 2.0: lists of firewall rules (FWaaS v2; apis/huawei.md 3.5 and 3.7)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ringfence.control import basic
from ringfence.control.acl_policies import policy
from ringfence.control.draft import Draft
from ringfence.control.kinds import Verb, action_of, actions_of
from ringfence.errors import Conflict
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource
from ringfence.wire.huawei.members import Member, invalid
from ringfence.wire.huawei.narrowing import narrowed
from ringfence.wire.huawei.operation import Call, Operation
from ringfence.wire.huawei.paging import linked_page
from ringfence.wire.huawei.v2.described import DESCRIBED, described
from ringfence.wire.request import Told

_PATH = "/v2.0/fwaas/firewall_policies"
_ONE = f"{_PATH}/{{firewall_policy_id}}"
_SAID = (*DESCRIBED, Member("firewall_rules", (list,)), Member("audited", (bool,)))
_BODY = Member("firewall_policy", (dict,), required=True, of=_SAID)
_RULE = Member("firewall_rule_id", (str,), required=True)
_FILTERS = ("id", "name", "description", "tenant_id")


def operations() -> Iterator[Operation]:
    """The calls."""
    read, change = (action_of(Verb.READ, Kind.ACL_POLICY),), actions_of(Verb.UPDATE, Kind.ACL_POLICY)
    yield Operation(
        "neutron_create_firewall_policy",
        "POST",
        _PATH,
        "Make a policy of rules in their order; the first that matches decides, and what none matches is denied. A "
        "rule may be in several policies, and a policy in several groups and in both directions.",
        actions_of(Verb.CREATE, Kind.ACL_POLICY),
        _create,
        201,
        body=(_BODY,),
    )
    yield Operation(
        "neutron_list_firewall_policies",
        "GET",
        _PATH,
        "List the policies.",
        read,
        _list,
        query=("limit", "marker", *_FILTERS),
    )
    yield Operation("neutron_show_firewall_policy", "GET", _ONE, "Show a policy.", read, _show)
    yield Operation(
        "neutron_update_firewall_policy",
        "PUT",
        _ONE,
        "Change a policy, in every group that has it; its rules are all those that are given.",
        change,
        _update,
        body=(_BODY,),
    )
    yield Operation(
        "neutron_add_firewall_rule",
        "PUT",
        f"{_ONE}/insert_rule",
        "Have a policy have one more rule: after another one, before another one, or before all.",
        change,
        _insert,
        body=(_RULE, Member("insert_after", (str,)), Member("insert_before", (str,))),
    )
    yield Operation(
        "neutron_remove_firewall_rule",
        "PUT",
        f"{_ONE}/remove_rule",
        "Take a rule out of a policy; the rule stays.",
        change,
        _remove,
        body=(_RULE,),
    )
    yield Operation(
        "neutron_delete_firewall_policy",
        "DELETE",
        _ONE,
        "Delete a policy that no group has; its rules stay.",
        actions_of(Verb.DELETE, Kind.ACL_POLICY),
        _delete,
        204,
    )


def _create(call: Call) -> Told:
    said = call.json["firewall_policy"]

    def work(draft: Draft) -> Told:
        wanted = {**described(said), "rules": _rules(draft, said.get("firewall_rules") or [])}
        wanted["audited"] = bool(said.get("audited"))
        return {"firewall_policy": told(basic.create(draft, Kind.ACL_POLICY, wanted))}

    return call.change(work)


def _rules(draft: Draft, said: Sequence[str]) -> list[str]:
    return [draft.own(Kind.ACL_LINE, id_).id for id_ in said]


def _list(call: Call) -> Told:
    found = [told(it) for it in call.visible(Kind.ACL_POLICY)]
    return linked_page(call, narrowed(call, found, _FILTERS), "firewall_policies")


def _show(call: Call) -> Told:
    return {"firewall_policy": told(call.find(Kind.ACL_POLICY, call.path["firewall_policy_id"]))}


def _update(call: Call) -> Told:
    said = call.json["firewall_policy"]

    def work(draft: Draft) -> Told:
        found, wanted = _own(draft, call), described(said)
        if said.get("firewall_rules") is not None:
            wanted["rules"] = _rules(draft, said["firewall_rules"])
        if said.get("audited") is not None:
            wanted["audited"] = said["audited"]
        return {"firewall_policy": told(basic.update(draft, Kind.ACL_POLICY, found.id, wanted))}

    return call.change(work)


def _insert(call: Call) -> Told:
    after, before = call.json.get("insert_after"), call.json.get("insert_before")

    def work(draft: Draft) -> Told:
        found, rule = _own(draft, call), draft.own(Kind.ACL_LINE, call.json["firewall_rule_id"])
        rules = list(policy(found).rules)
        if rule.id in rules:
            raise Conflict(f"{found.key} has {rule.key} already", field="firewall_rule_id", value=rule.id)
        if after:  # Neutron has it win over insert_before
            rules.insert(_place(rules, after, "insert_after") + 1, rule.id)
        else:
            rules.insert(_place(rules, before, "insert_before") if before else 0, rule.id)
        return told(basic.update(draft, Kind.ACL_POLICY, found.id, {"rules": rules}))

    return call.change(work)


def _remove(call: Call) -> Told:
    def work(draft: Draft) -> Told:
        found, rules = _own(draft, call), list(policy(_own(draft, call)).rules)
        del rules[_place(rules, call.json["firewall_rule_id"], "firewall_rule_id")]
        return told(basic.update(draft, Kind.ACL_POLICY, found.id, {"rules": rules}))

    return call.change(work)


def _place(rules: list[str], id_: str, field: str) -> int:
    if id_ not in rules:
        raise invalid(field, f"give a rule of the policy: {', '.join(rules) or 'it has none'}", id_)
    return rules.index(id_)


def _delete(call: Call) -> Told:
    def work(draft: Draft) -> Told:
        basic.delete(draft, Kind.ACL_POLICY, _own(draft, call).id)
        return {}

    return call.change(work)


def _own(draft: Draft, call: Call) -> Resource:
    return draft.own(Kind.ACL_POLICY, call.path["firewall_policy_id"])


def told(resource: Resource) -> dict[str, Any]:
    """A policy as version 2.0 tells it."""
    return {
        "id": resource.id,
        "name": resource.name,
        "description": resource.description,
        "firewall_rules": list(policy(resource).rules),
        "audited": policy(resource).audited,
        "public": False,
        "tenant_id": resource.account,
        "project_id": resource.account,
    }
