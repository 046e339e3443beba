"""What can be done with a resource of any kind: make it, change it, delete it.

What a request says is JSON in the notation of the resource's form (`ringfence.resources.forms`); references may be ids,
or names where only one resource of the account has them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from ringfence.control.acl_policies import remove_line
from ringfence.control.besides import require_more, require_new
from ringfence.control.draft import Draft
from ringfence.control.kinds import Verb, action_for
from ringfence.control.line_ids import identified, refuse_unknown
from ringfence.control.lines import FIELDS, remove_naming
from ringfence.control.settling import Said, by_id, profile_at, profile_of, rule_by_id, settle
from ringfence.errors import Conflict, FieldProblem, InUse, InvalidFields, NotationError, Protected
from ringfence.model.group import DEFAULT_GROUP, GroupType, SecurityGroup
from ringfence.model.rule import Rule
from ringfence.ram import actions as ram
from ringfence.resources.forms import FORMS
from ringfence.resources.kind import Kind
from ringfence.resources.naming import Called
from ringfence.resources.resource import NO_TAGS, Resource, common_problems, refuse
from ringfence.resources.values import Listing, RuleOf, Value

TAGS = 20
"""So many tags a resource may have."""
LISTS = (Kind.ADDRESS_GROUP, Kind.PORT_LIST)
"""Kinds that rules name."""
_NAMED = 5  # resources that a message tells
GIVEN = ("name", "description", "tags", "protected")
"""What a request may say of any resource."""


def create(draft: Draft, kind: Kind, said: Mapping[str, Any]) -> Resource:
    """Make a resource. Raises `InvalidFields`, `Forbidden`, and on leaving the change what `Control.change` raises."""
    if kind is Kind.RULE and (made := _rule_of_line(draft, said)):
        return made
    wanted = expanded(kind, said)
    template, ports = _taken(wanted, kind, Kind.GROUP, "template"), _taken(wanted, kind, Kind.INSTANCE, "ports")
    wanted = settle(draft, kind, wanted)
    refuse(common_problems(wanted, TAGS))
    made = _resource(draft, kind, wanted)
    there = draft.get(kind, made.id)
    draft.put(action_for(Verb.CREATE, made), made)
    if there:
        what = f"{there.key} are there already"
        raise Conflict(what, "change them", reason="settings.exist", field="id", value=made.id)
    require_new(draft, made)
    if template is not None:
        _fill(draft, made, template)
    for port in _listed(ports):
        _create_port(draft, made, port)
    return made


def update(draft: Draft, kind: Kind, ref: str, said: Mapping[str, Any]) -> Resource:
    """Change some fields of a resource; what is not said stays. Raises as `create`, and `NotFound`."""
    old = draft.find(kind, ref)
    only_policy = kind is Kind.GROUP and said.keys() == {"intra_group"}
    action = ram.MODIFY_SECURITY_GROUP_POLICY if only_policy else action_for(Verb.UPDATE, old)
    with draft.telling(action, old):
        new = _changed(draft, old, said)
    require_more(draft, old, new)
    return draft.put(action, new)


def _changed(draft: Draft, old: Resource, said: Mapping[str, Any]) -> Resource:
    """What a request would make of a resource; raises `InvalidFields`, `Protected`."""
    kind, form = old.kind, old.form
    wanted = by_id(draft, expanded(kind, said))
    refuse([*common_problems(wanted, TAGS), *_fixed_problems(old, wanted)])
    if kind is Kind.GROUP and old.name == DEFAULT_GROUP and wanted.get("name", old.name) != old.name:
        raise Protected(f"{old.key} is the default group", "leave its name as it is", field="name", value=old.name)
    common = {name: wanted.pop(name) for name in GIVEN if name in wanted}
    shown = {each.name: each.show(form.parts(old.value)[each.name]) for each in form.fields}
    if kind is Kind.POLICY and "document" in wanted:
        wanted = settle(draft, kind, wanted)
    renamed = replace(old, **common)
    if isinstance(old.value, Listing) and "remarks" not in wanted:
        bare = cast("Listing", form.read(_called(renamed), shown | wanted | {"remarks": {}}))
        return replace(renamed, value=bare.remarked(old.value.remarks))
    value = form.read(_called(renamed), shown | wanted)
    return replace(renamed, value=_with_ids(draft, kind, old.value, value))


def delete(draft: Draft, kind: Kind, ref: str, *, force: bool = False) -> Resource:
    """Delete a resource, with what it is made of: a group's rules, an instance's ports, what hangs off a port.

    ``force``: a list goes with the rules and the lines of ACLs that name it (SEMANTICS.md 1.3). Raises `NotFound`,
    `InUse`, `Protected`, `Forbidden`.
    """
    found = draft.find(kind, ref)
    if kind is Kind.GROUP and found.name == DEFAULT_GROUP:
        raise Protected(f"{found.key} is the default group", "edit its rules instead", field="id", value=found.id)
    if kind is Kind.ACCOUNT and not found.protected:  # else that is what is said
        _check_empty(draft, found)
    draft.remove(action_for(Verb.DELETE, found), found)
    for each in filter(None, (draft.get(*key) for key in draft.state.referrers(found.key))):
        if _is_part(each, found) or (force and kind in LISTS and each.kind is Kind.RULE):
            draft.remove(action_for(Verb.DELETE, each), each)
        elif force and kind is Kind.ADDRESS_GROUP and each.kind is Kind.ACL:
            remove_naming(draft, each, found.id)
        elif force and kind is Kind.ADDRESS_GROUP and each.kind is Kind.ACL_LINE:
            remove_line(draft, each)
    return found


def _check_empty(draft: Draft, account: Resource) -> None:
    """Raise `InUse` where an account has anything: its keys would be those of whoever gets its id."""
    left = [it.key for kind in Kind for it in draft.state.owned(account.id, kind) if it.key != account.key]
    if left:
        told = ", ".join(map(str, left[:_NAMED])) + (f" and {len(left) - _NAMED} more" if len(left) > _NAMED else "")
        raise InUse(f"{account.key} has {told}", "delete these first", field="id", value=account.id)


def _is_part(each: Resource, whole: Resource) -> bool:
    if whole.kind is Kind.GROUP and isinstance(each.value, RuleOf):
        return each.value.group == whole.id
    return whole.kind in (Kind.INSTANCE, Kind.PORT) and each.kind is Kind.PORT


def expanded(kind: Kind, said: Mapping[str, Any]) -> Said:
    """What a request says in plain fields; raises `InvalidFields`."""
    if not isinstance(said, Mapping):
        raise InvalidFields(
            (FieldProblem(kind.value, f"{said!r} is not an object", "use an object like {}", value=said),)
        )
    form = FORMS[kind]
    refuse(form.unknown(each.name, None) for each in form.fields if each.hidden and each.name in said)
    try:
        return form.expand(dict(said))
    except NotationError as error:
        raise InvalidFields((FieldProblem("rule", error.what, error.right, error.code, said.get("rule")),)) from None


def _taken(said: Said, kind: Kind, of: Kind, name: str) -> Any:
    return said.pop(name, None) if kind is of else None


def _resource(draft: Draft, kind: Kind, said: Said) -> Resource:
    common = {name: said.pop(name) for name in GIVEN if name in said}
    name = common.get("name", "")
    id_ = draft.new_id(kind, name if kind is not Kind.PORT else f"{said.get('instance', '')}.{name}")
    if kind is Kind.SETTINGS:
        id_ = Kind.SETTINGS.value  # of these, there is one
    bare = Resource(kind, id_, draft.caller.account, cast("Any", None), created=draft.at, **common)
    value = FORMS[kind].read(_called(bare), said)
    return replace(bare, value=_with_ids(draft, kind, None, value))


def _with_ids(draft: Draft, kind: Kind, before: Value | None, after: Value) -> Value:
    """What has lines, with their ids."""
    refuse_unknown(before, after, FIELDS.get(kind, ""))
    return identified(before, after, draft.caller.ids)


def _called(resource: Resource) -> Called:
    return Called(resource.id, resource.name, resource.account, resource.description)


def _fixed_problems(old: Resource, said: Mapping[str, Any]) -> list[FieldProblem]:
    shown = old.form.show(old.value)
    fixed = [each.name for each in old.form.fields if each.fixed and each.name in said]
    problems = [
        FieldProblem(
            name,
            f"{name} of a {old.kind.words} cannot be changed",
            f"it is {shown[name]!r}",
            "input.fixed_field",
            said[name],
        )
        for name in fixed
        if said[name] != shown[name]
    ]
    if old.kind is Kind.PORT and said.get("name", old.name) != old.name:
        problems.append(
            FieldProblem(
                "name", "the name of a port cannot be changed", f"it is {old.name!r}", "input.fixed_field", said["name"]
            )
        )
    return problems


# --- what comes with a new group, and with a new instance


def _fill(draft: Draft, group: Resource, template: object) -> None:
    if template != "default":
        raise InvalidFields(
            (FieldProblem("template", f"there is no template {template!r}", "use default", value=template),)
        )
    value, profile = cast("SecurityGroup", group.value), profile_of(draft, group)
    lines = profile.default_rules if value.type is GroupType.BASIC else profile.default_rules_advanced
    for line in lines:
        rule = Rule.parse(line.format(group=group.id), default_priority=profile.system_rule_priority)
        add_rule(draft, group, rule)


def _rule_of_line(draft: Draft, said: Mapping[str, Any]) -> Resource | None:
    """A rule that is said in one line and no more: most are, so that the way is short. None: go the long way."""
    if set(said) != {"group", "rule"} or not all(isinstance(each, str) for each in said.values()):
        return None
    group = draft.lookup(Kind.GROUP, said["group"])
    if group is None:
        return None
    try:
        priority = profile_of(draft, group).default_priority
        rule = Rule.parse(said["rule"], default_priority=priority)
    except NotationError:  # the long way says where it is wrong
        return None
    return add_rule(draft, group, rule_by_id(draft, rule))


def add_rule(draft: Draft, group: Resource, rule: Rule, tags: Mapping[str, str] = NO_TAGS) -> Resource:
    """Add a rule, given as a value, to a group. Its id is made anew."""
    id_ = draft.new_id(Kind.RULE, "")
    value = RuleOf(group.id, rule.called(id_))
    made = Resource(Kind.RULE, id_, group.account, value, "", rule.description, tags, created=draft.at)
    return draft.put(action_for(Verb.CREATE, made), made)


def _listed(ports: object) -> list[object]:
    if not isinstance(ports, list | None):
        what = f"{ports!r} is no list of ports"
        raise InvalidFields((FieldProblem("ports", what, "use a list like [{subnet, groups}]", value=ports),))
    return ports or []


def _create_port(draft: Draft, instance: Resource, said: object) -> None:
    if not isinstance(said, Mapping):
        raise InvalidFields(
            (
                FieldProblem(
                    "ports", f"{said!r} is not a port", "use an object like {subnet, addresses, groups}", value=said
                ),
            )
        )
    wanted = {**said, "instance": instance.id}
    if not wanted.get("groups"):
        subnet = draft.find(Kind.SUBNET, str(wanted.get("subnet", "")))
        wanted["groups"] = [default_group(draft, getattr(subnet.value, "vpc", "")).id]
    create(draft, Kind.PORT, wanted)


def default_group(draft: Draft, vpc: str) -> Resource:
    """The account's default group where a VPC's ports may use it; made with the first that needs it (Security FAQ).

    There is one for each profile, and for a VPC whose profile says so, or has switches of its own, one for it alone.
    """
    name = profile_at(draft, vpc).name
    own = [it for it in draft.owned(Kind.GROUP) if it.name == DEFAULT_GROUP]
    bound = [it for it in own if cast("SecurityGroup", it.value).vpc == vpc]
    if not bound and not _is_bound(draft, vpc):
        bound = [it for it in own if not cast("SecurityGroup", it.value).vpc and profile_of(draft, it).name == name]
    return bound[0] if bound else _new_default_group(draft, vpc, name)


def _new_default_group(draft: Draft, vpc: str, profile: str) -> Resource:
    bound = _is_bound(draft, vpc)
    home = {"vpc": vpc} if bound else {} if profile == profile_at(draft, "").name else {"profile": profile}
    return create(draft, Kind.GROUP, {"name": DEFAULT_GROUP, "template": "default", **home})


def _is_bound(draft: Draft, vpc: str) -> bool:
    """Whether groups of a VPC belong to it: its profile says so, or has switches that groups without a VPC have not."""
    profile = profile_at(draft, vpc)
    return profile.groups_need_vpc or profile != profile_at(draft, "", profile.name)
