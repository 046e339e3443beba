"""Rules of security groups: authorised, revoked and modified, in either direction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Final, cast

from ringfence.control import rules as control
from ringfence.control.draft import Draft
from ringfence.errors import Refused
from ringfence.model.group import SecurityGroup
from ringfence.model.rule import Direction
from ringfence.model.topology import Network
from ringfence.model.validation.classic import network_of
from ringfence.ram import actions as ram
from ringfence.ram.actions import Action
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource
from ringfence.resources.values import RuleOf
from ringfence.wire.alibaba.groups import GROUP, REGION
from ringfence.wire.alibaba.operation import Call, Field, Operation, Product
from ringfence.wire.alibaba.parameters import Parameters, invalid
from ringfence.wire.alibaba.permission_lists import parameters_of, parts_of, rule_of
from ringfence.wire.alibaba.permissions import Reader, Rule
from ringfence.wire.alibaba.ways import EGRESS, INGRESS, OWNER_FIELDS, Way
from ringfence.wire.request import Fault, Told

_LIST_OF_PORTS: Final = Field("PortRangeListId", "a port list, where there is no PortRange")
_IDS: Final = Field("SecurityGroupRuleId.N", "rules by their ids, up to 100")


def operations() -> Iterator[Operation]:
    """The operations."""
    for way, word, authorize, revoke in (
        (INGRESS, "", ram.AUTHORIZE_SECURITY_GROUP, ram.REVOKE_SECURITY_GROUP),
        (EGRESS, "Egress", ram.AUTHORIZE_SECURITY_GROUP_EGRESS, ram.REVOKE_SECURITY_GROUP_EGRESS),
    ):
        fields = (REGION, GROUP, *way.parameters(), *_listed("Permissions", way))
        yield _operation(
            f"AuthorizeSecurityGroup{word}",
            f"Add {way.direction} rules to a group, all or none: one by flat parameters, or up to 100 as Permissions."
            " One that is there already is as good as added.",
            authorize,
            partial(_authorize, way),
            fields,
            way,
        )
        yield _operation(
            f"RevokeSecurityGroup{word}",
            f"Remove {way.direction} rules of a group, by id or by what they say: all that they say but the"
            " description. What is not there is as good as gone, but an id that no rule has is refused, and so is a"
            " part of a rule that says more than a permission can.",
            revoke,
            partial(_revoke, way),
            (*fields, _IDS),
            way,
        )
    yield _configure_operation()


def faults_of(way: Way) -> Mapping[str, Fault]:
    """What refusals of rules are called: our codes have the words of ingress."""
    far = way.far
    return {
        "InvalidSourceGroupId.NotFound": Fault(404, f"Invalid{far}GroupId.NotFound"),
        "InvalidDestGroupId.NotFound": Fault(404, "InvalidDestGroupId.NotFound"),
        "InvalidSourceGroupId.Mismatch": Fault(400, f"Invalid{far}GroupId.Mismatch"),
        "InvalidPrefixListId.NotFound": Fault(404, "InvalidPrefixListId.NotFound"),
        "InvalidNetworkType.Mismatch": Fault(403, "InvalidNetworkType.Mismatch"),
        "InvalidParamter.Conflict": Fault(403, "InvalidParamter.Conflict"),
        "InvalidGroupAuthItem.NotFound": Fault(403, "InvalidGroupAuthItem.NotFound"),
        "limit.rules_per_call": Fault(400, "InvalidParam.Permissions"),
    }


def _operation(
    name: str, doc: str, action: Action, handle: Callable[[Call], Told], fields: tuple[Field, ...], way: Way
) -> Operation:
    return Operation(name, Product.ECS, doc, (action,), handle, fields, faults=faults_of(way))


def _listed(name: str, *ways: Way) -> Iterator[Field]:
    names = {field.name: field for way in ways for field in (*way.parameters(), _LIST_OF_PORTS)}
    return (Field(f"{name}.N.{field.name}", field.doc) for field in names.values())


# --- what requests say


def group_of(call: Call, draft: Draft) -> Resource:
    """The group that a request is about; raises `NotFound`."""
    return draft.own(Kind.GROUP, call.said.required("SecurityGroupId"))


def reader_of(draft: Draft, way: Way, group: Resource) -> Reader:
    """What reads rules of a group."""
    network = network_of(draft.state.world, cast("SecurityGroup", group.value))
    return Reader(draft, way, network is Network.CLASSIC)


def _said(call: Call, way: Way) -> tuple[Parameters, ...]:
    """The permissions of a request: those in the list, or the one of its flat parameters."""
    listed = call.said.parts("Permissions")
    flat = [field.name for field in way.parameters() if field.name in call.said]
    if listed and flat:
        right = "say rules either in flat parameters or in Permissions"
        raise invalid("Permissions", right, flat[0], "InvalidParam.Permissions")
    return listed or (call.said,)


def _read(draft: Draft, group: Resource, way: Way, said: tuple[Parameters, ...]) -> list[Rule]:
    reader = reader_of(draft, way, group)
    found = [reader.rule(each) for each in said]
    if len({tuple(meaning.items()) for meaning in _meanings(draft, group, found)}) < len(found):
        raise invalid("Permissions", "say each rule once", "", "InvalidParam.DuplicatePermissions")
    return found


def _meanings(draft: Draft, group: Resource, rules: list[Rule]) -> list[Rule]:
    """What tells rules apart: all of it but their descriptions."""
    usual = draft.state.world.profile_of(cast("SecurityGroup", group.value)).default_priority
    return [{"priority": usual, **rule, "description": ""} for rule in rules]


# --- what is done


def _authorize(way: Way, call: Call) -> Told:
    def work(draft: Draft) -> Told:
        group = group_of(call, draft)
        with draft.telling(call.operation.actions[0], group):
            rules = _read(draft, group, way, _said(call, way))
        control.authorize(draft, group.id, rules)
        return {}

    return call.change(work)


def _revoke(way: Way, call: Call) -> Told:
    ids = call.said.every("SecurityGroupRuleId")
    if len(set(ids)) < len(ids):
        raise invalid("SecurityGroupRuleId", "give each id once", "", "InvalidParam.SecurityGroupRuleIdRepeated")

    def work(draft: Draft) -> Told:
        group = group_of(call, draft)
        with draft.telling(call.operation.actions[0], group):
            for id_ in ids:
                _check_direction(draft, group, way, id_)
            rules = [] if ids and not _says_rules(call, way) else _read(draft, group, way, _said(call, way))
            _check_parts(draft, group, way, rules)
        control.revoke(draft, group.id, ids, rules)
        return {}

    return call.change(work)


def _check_parts(draft: Draft, group: Resource, way: Way, rules: list[Rule]) -> None:
    """Refuse to revoke a part of a rule: to say that it is gone would be wrong, and all of it is more than was said."""
    wanted = _meanings(draft, group, rules)
    reader = reader_of(draft, way, group)
    for rule in draft.rules(group.id) if rules else ():
        parts = list(parts_of(rule)) if rule_of(rule).direction is way.direction else []
        said = (Parameters(parameters_of(draft.state, part, way)) for part in parts if len(parts) > 1)
        if any({**reader.rule(part), "description": ""} in wanted for part in said):
            what = f"The specified rule is a part of {rule.id}, which says more; revoke that one by its id."
            raise Refused(what, reason="InvalidGroupAuthItem.NotFound", value=rule.id)


def _says_rules(call: Call, way: Way) -> bool:
    return bool(call.said.parts("Permissions")) or any(field.name in call.said for field in way.parameters())


def _check_direction(draft: Draft, group: Resource, way: Way, id_: str) -> None:
    """An id of a rule of the other direction is none here: its removal is another action."""
    found = draft.get(Kind.RULE, id_)
    at = found.value if found else None
    if isinstance(at, RuleOf) and at.group == group.id and at.rule.direction is not way.direction:
        right = f"give ids of {way.direction} rules"
        raise invalid("SecurityGroupRuleId", right, id_, "InvalidParam.SecurityGroupRuleId")


# --- both directions, and both ways, at once


def _configure_operation() -> Operation:
    fields = (field for name in ("AuthorizePermissions", "RevokePermissions") for field in _configured(name))
    return Operation(
        "ConfigureSecurityGroupPermissions",
        Product.ECS,
        "Revoke and authorise rules of both directions in one go, all or none. In no SDK of ECS.",
        (
            *(ram.AUTHORIZE_SECURITY_GROUP, ram.AUTHORIZE_SECURITY_GROUP_EGRESS),
            *(ram.REVOKE_SECURITY_GROUP, ram.REVOKE_SECURITY_GROUP_EGRESS),
        ),
        _configure,
        (REGION, GROUP, *fields),
        faults=faults_of(INGRESS),
    )


def _configured(name: str) -> Iterator[Field]:
    yield from _listed(name, INGRESS, EGRESS)
    for more in ("Direction", "GressFlow", *OWNER_FIELDS):
        yield Field(f"{name}.N.{more}")


def _configure(call: Call) -> Told:
    def work(draft: Draft) -> Told:
        group = group_of(call, draft)
        with draft.telling(call.operation.actions[0], group):
            revoked, authorized = (_both(call, draft, group, f"{verb}Permissions") for verb in ("Revoke", "Authorize"))
        if not revoked and not authorized:
            raise Refused("AuthorizePermissions is mandatory for this action.", reason="MissingParameter")
        if revoked:
            control.revoke(draft, group.id, (), revoked)
        if authorized:
            control.authorize(draft, group.id, authorized)
        return {}

    return call.change(work)


def _both(call: Call, draft: Draft, group: Resource, name: str) -> list[Rule]:
    return [reader_of(draft, way, group).rule(part) for part in call.said.parts(name) for way in (_way(part),)]


def _way(said: Parameters) -> Way:
    ways = {each.value: each.value for each in Direction}
    word = said.choice("Direction" if "Direction" in said else "GressFlow", ways, Direction.INGRESS.value)
    return EGRESS if word == Direction.EGRESS else INGRESS
