"""Security groups as they are listed, and who names them in rules."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Final, cast

from ringfence.control.quotas import members_of
from ringfence.errors import Refused
from ringfence.model.group import SecurityGroup
from ringfence.model.rule import GroupRemote
from ringfence.model.topology import Network
from ringfence.model.validation.classic import network_of
from ringfence.model.world import World
from ringfence.ram import actions as ram
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource
from ringfence.resources.values import PortAt, RuleOf
from ringfence.wire.alibaba.groups import REGION, TYPES
from ringfence.wire.alibaba.operation import Call, Field, Operation, Product
from ringfence.wire.alibaba.paging import BY_NUMBER, BY_TOKEN, either
from ringfence.wire.alibaba.parameters import Parameters, invalid
from ringfence.wire.alibaba.tagged import TAGS, has_tags, tags_told
from ringfence.wire.alibaba.texts import time_of
from ringfence.wire.request import Told

BAD_ID: Final = "InvalidSecurityGroupId.Malformed"
_WORDS: Final = {value: word for word, value in TYPES.items()}
_NETWORKS: Final = {"vpc": Network.VPC.value, "classic": Network.CLASSIC.value}
_MOST_IDS, _MOST_ASKED = 100, 10


def operations() -> Iterator[Operation]:
    """The operations."""
    yield Operation(
        "DescribeSecurityGroups",
        Product.ECS,
        "List the account's groups, those too that were made through the other APIs: paged by token or by number, and"
        " in both ways at once where neither is said. There are no resource groups: none is in one that is named.",
        (ram.DESCRIBE_SECURITY_GROUPS,),
        _describe,
        (
            *(REGION, Field("VpcId"), Field("NetworkType", "vpc or classic"), Field("SecurityGroupId")),
            *(Field("SecurityGroupIds", "a JSON array of at most 100 ids, in one text"), Field("SecurityGroupName")),
            *(Field("FuzzyQuery", "whether a part of the name is enough"), Field("SecurityGroupType"), *TAGS),
            *(Field("IsQueryEcsCount", "whether EcsCount and AvailableInstanceAmount are told"), *BY_TOKEN, *BY_NUMBER),
            *(Field("ResourceGroupId"), Field("ServiceManaged"), Field("DryRun")),
        ),
    )
    yield Operation(
        "DescribeSecurityGroupReferences",
        Product.ECS,
        "List the groups, other accounts' too, whose rules name a group.",
        (ram.DESCRIBE_SECURITY_GROUP_REFERENCES,),
        _references,
        (REGION, Field("SecurityGroupId.N", "1 to 10 groups", required=True)),
    )


# --- groups


@dataclass(frozen=True)
class _Filter:
    """What of the groups is asked for."""

    said: Parameters
    world: World
    ids: Collection[str] | None
    type: str
    network: str
    managed: bool | None

    @classmethod
    def of(cls, call: Call) -> _Filter:
        said = call.said
        type_ = said.choice("SecurityGroupType", TYPES, code="InvalidParameter.SecurityGroupType")
        managed = said.flag("ServiceManaged") if "ServiceManaged" in said else None
        return cls(said, call.state.world, _ids(said), type_, said.choice("NetworkType", _NETWORKS), managed)

    def takes(self, resource: Resource) -> bool:
        group = cast("SecurityGroup", resource.value)
        return (
            (self.ids is None or resource.id in self.ids)
            and self.said.text("VpcId", group.vpc) == group.vpc
            and self.type in ("", group.type)
            and self.network in ("", network_of(self.world, group))
            and self.managed in (None, bool(group.managed))
            and self._is_called(resource.name)
            and has_tags(resource, self.said)
            and "ResourceGroupId" not in self.said
        )

    def _is_called(self, name: str) -> bool:
        wanted = self.said.text("SecurityGroupName")
        return wanted in name if self.said.flag("FuzzyQuery") or not wanted else wanted == name


def _describe(call: Call) -> Told:
    said = call.said
    asked, counted = _Filter.of(call), said.flag("IsQueryEcsCount")
    found = [it for it in call.visible(Kind.GROUP) if asked.takes(it)]
    page, paged = either(said, found, lambda it: it.id)
    if said.flag("DryRun"):
        raise Refused("Request validation has been passed with DryRun flag set.", reason="DryRunOperation")
    groups = [_told(call, it, counted=counted) for it in page]
    return {"RegionId": call.region, "SecurityGroups": {"SecurityGroup": groups}, **paged}


def _ids(said: Parameters) -> Collection[str] | None:
    """The ids that are asked for: of one, or of a JSON array in a text."""
    found = [said.text("SecurityGroupId")] if "SecurityGroupId" in said else None
    if text := said.text("SecurityGroupIds"):
        try:
            listed = json.loads(text)
        except (ValueError, RecursionError):
            listed = None
        if not isinstance(listed, list) or len(listed) > _MOST_IDS or not all(isinstance(it, str) for it in listed):
            right = f"give a JSON array of at most {_MOST_IDS} ids"
            raise invalid("SecurityGroupIds", right, text, BAD_ID)
        found = listed if found is None else [id_ for id_ in listed if id_ in found]
    return found


def _told(call: Call, resource: Resource, *, counted: bool) -> Told:
    state, group = call.state, call.state.world.groups[resource.id]
    told: dict[str, Any] = {
        "SecurityGroupId": resource.id,
        "SecurityGroupName": resource.name,
        "Description": resource.description,
        "SecurityGroupType": _WORDS[group.type],
        "VpcId": vpc_id(call, group),
        "CreationTime": time_of(resource.created),
        "RuleCount": sum(size.families * number for size, number in group.rule_sizes.items()),
        "GroupToGroupRuleCount": sum(isinstance(remote, GroupRemote) for remote in group.named),
        "ResourceGroupId": "",
        "ServiceManaged": bool(group.managed),
        "Tags": tags_told(resource.tags),
    }
    if counted:
        _, used, allowed = members_of(state.world, group)
        instances = {cast("PortAt", it.value).port.instance for it in state.members(resource.id)}
        told |= {"EcsCount": len(instances), "AvailableInstanceAmount": max(0, allowed - used)}
    return told


def vpc_id(call: Call, group: SecurityGroup) -> str:
    """The VPC of a group as it is told: none of a group of the classic network."""
    return "" if network_of(call.state.world, group) is Network.CLASSIC else group.vpc


# --- who names a group


def _references(call: Call) -> Told:
    ids = call.said.every("SecurityGroupId")
    if not 1 <= len(ids) <= _MOST_ASKED:
        raise invalid("SecurityGroupId", f"give 1 to {_MOST_ASKED} ids", len(ids), BAD_ID)
    found = [call.find(Kind.GROUP, id_, ram.DESCRIBE_SECURITY_GROUP_REFERENCES) for id_ in dict.fromkeys(ids)]
    return {"SecurityGroupReferences": {"SecurityGroupReference": [_reference(call, it) for it in found]}}


def _reference(call: Call, group: Resource) -> Told:
    rules = [call.state.resources[key] for key in call.state.referrers(group.key) if key.kind is Kind.RULE]
    naming = {(it.account, cast("RuleOf", it.value).group) for it in rules} - {(group.account, group.id)}
    told = [{"AliUid": account, "SecurityGroupId": id_} for account, id_ in sorted(naming)]
    return {"SecurityGroupId": group.id, "ReferencingSecurityGroups": {"ReferencingSecurityGroup": told}}
