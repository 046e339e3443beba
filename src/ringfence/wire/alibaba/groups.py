"""Security groups: made, changed and deleted. `group_lists` has how they are told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, cast

from ringfence.control import basic
from ringfence.control.draft import Draft
from ringfence.errors import InUse, Refused
from ringfence.model.group import GroupType
from ringfence.model.profile import IntraGroup
from ringfence.model.topology import Network
from ringfence.ram import actions as ram
from ringfence.resources.kind import Kind
from ringfence.resources.values import SharedVpc
from ringfence.wire.alibaba.operation import Call, Field, Operation, Product
from ringfence.wire.alibaba.tagged import TAGS, tags_said
from ringfence.wire.alibaba.texts import description_of, name_of
from ringfence.wire.request import Fault, Told

TYPES: Final[Mapping[str, str]] = {"normal": GroupType.BASIC.value, "enterprise": GroupType.ADVANCED.value}
"""Types of groups by the vendor's words."""
BAD_NAME, BAD_DESCRIPTION = "InvalidSecurityGroupName.Malformed", "InvalidSecurityGroupDiscription.Malformed"
REGION = Field("RegionId", required=True)
GROUP = Field("SecurityGroupId", required=True)
_POLICIES: Final[Mapping[str, str]] = {"accept": IntraGroup.ACCEPT.value, "drop": IntraGroup.DROP.value}
_MEMBERS: Final = "There is still instance(s) in the specified security group."
_NAMED: Final = "The specified security group has been authorized in another one."


def operations() -> Iterator[Operation]:
    """The operations."""
    texts = (Field("SecurityGroupName", "2 to 128 characters"), Field("Description", "2 to 256 characters"))
    yield Operation(
        "CreateSecurityGroup",
        Product.ECS,
        "Make a security group, without rules. Without a VPC it is one of the classic network, if the account has that."
        " There are no resource groups, so one that is named is not found.",
        (ram.CREATE_SECURITY_GROUP,),
        _create,
        (
            *(REGION, *texts, Field("VpcId"), Field("SecurityGroupType", "normal or enterprise"), *TAGS),
            *(Field("ResourceGroupId"), Field("ServiceManaged", "refused: only a cloud product may make one")),
        ),
        faults={
            "world.group_type": Fault(400, "InvalidParams.VpcIdGroupType"),
            "InvalidVpcId.NotFound": Fault(403, "InvalidVpcId.NotFound"),
        },
    )
    yield Operation(
        "DeleteSecurityGroup",
        Product.ECS,
        "Delete a group with its rules: not one that has members, or that rules of other groups name. Who deletes it"
        " must be allowed to revoke its rules as well.",
        (ram.DELETE_SECURITY_GROUP, ram.REVOKE_SECURITY_GROUP, ram.REVOKE_SECURITY_GROUP_EGRESS),
        _delete,
        (REGION, GROUP),
        faults={
            "resource.not_found": Fault(
                404, "InvalidSecurityGroup.NotFound", "The specified SecurityGroupId does not exist."
            )
        },
    )
    yield Operation(
        "ModifySecurityGroupAttribute",
        Product.ECS,
        "Change a group's name or description; what is not said stays.",
        (ram.MODIFY_SECURITY_GROUP_ATTRIBUTE,),
        _modify,
        (REGION, GROUP, *texts),
    )
    yield Operation(
        "ModifySecurityGroupPolicy",
        Product.ECS,
        "Say whether the members of a normal group reach each other; those of an enterprise group never do.",
        (ram.MODIFY_SECURITY_GROUP_POLICY,),
        _modify_policy,
        (REGION, GROUP, Field("InnerAccessPolicy", "Accept or Drop", required=True)),
        faults={
            "MissingParameter.RegionId": Fault(400, "MissingParamter.RegionId"),
            "world.intra_group": Fault(404, "InvalidParameter.InnerAccessPolicy"),
        },
    )


def _create(call: Call) -> Told:
    said = call.said
    if "ResourceGroupId" in said:
        raise Refused("The specified resource group does not exist.", reason="InvalidResourceGroup.NotFound")
    wanted = {
        "name": name_of(said, "SecurityGroupName", BAD_NAME),
        "description": description_of(said, BAD_DESCRIPTION),
        "type": said.choice("SecurityGroupType", TYPES, GroupType.BASIC.value, "InvalidParams.GroupType"),
        "tags": tags_said(said),
        "managed": (call.caller.service or "cloud-product") if said.flag("ServiceManaged") else "",
    }

    def work(draft: Draft) -> Told:
        made = basic.create(draft, Kind.GROUP, {**wanted, "vpc": _vpc_id(draft, said.text("VpcId"))})
        return {"SecurityGroupId": made.id}

    return call.change(work)


def _vpc_id(draft: Draft, said: str) -> str:
    """The VPC that a request names, or the classic network of the account if it names none."""
    if said:
        found = draft.usable(Kind.VPC, said)
        if found is None:
            raise draft.missing(Kind.VPC, said)
        return found.id
    classic = [it for it in draft.owned(Kind.VPC) if cast("SharedVpc", it.value).vpc.network is Network.CLASSIC]
    if len(classic) != 1:
        what = "Specified VPC does not exist: VpcId is empty, and the account has no classic network."
        raise Refused(what, reason="InvalidVpcId.NotFound", field="VpcId")
    return classic[0].id


def _delete(call: Call) -> Told:
    id_ = call.said.required("SecurityGroupId")

    def work(draft: Draft) -> Told:
        basic.delete(draft, Kind.GROUP, draft.own(Kind.GROUP, id_).id)
        return {}

    try:
        return call.change(work)
    except InUse as error:
        raise Refused(_MEMBERS if call.state.members(id_) else _NAMED, reason=error.reason) from error


def _modify(call: Call) -> Told:
    said = call.said
    texts = {
        "name": name_of(said, "SecurityGroupName", BAD_NAME),
        "description": description_of(said, BAD_DESCRIPTION),
    }

    def work(draft: Draft) -> Told:
        group = draft.own(Kind.GROUP, said.required("SecurityGroupId"))
        basic.update(draft, Kind.GROUP, group.id, {name: text for name, text in texts.items() if text})
        return {}

    return call.change(work)


def _modify_policy(call: Call) -> Told:
    intra = call.said.choice("InnerAccessPolicy", _POLICIES, code="InvalidPolicy.Malformed")

    def work(draft: Draft) -> Told:
        group = draft.own(Kind.GROUP, call.said.required("SecurityGroupId"))
        basic.update(draft, Kind.GROUP, group.id, {"intra_group": intra})
        return {}

    return call.change(work)
