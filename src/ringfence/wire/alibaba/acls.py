"""Network ACLs of the Vpc product, version 2016-04-28: numbers of pages and counts are texts there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, cast

from ringfence.control import acls, basic, lines
from ringfence.control.draft import Draft
from ringfence.model.acl import AclRule, NetworkAcl
from ringfence.model.rule import Direction
from ringfence.ram import actions as ram
from ringfence.resources.kind import Kind
from ringfence.resources.naming import Key
from ringfence.resources.resource import Resource
from ringfence.resources.state import State
from ringfence.wire.alibaba import acl_entries
from ringfence.wire.alibaba.common import REGION, changed_fields
from ringfence.wire.alibaba.operation import Call, Field, Operation, Product
from ringfence.wire.alibaba.paging import BY_NUMBER, by_number
from ringfence.wire.alibaba.parameters import Parameters, invalid, missing
from ringfence.wire.alibaba.tagged import tags_said
from ringfence.wire.alibaba.texts import description_of, name_of, time_of
from ringfence.wire.request import Fault, Told

_ACL = Field("NetworkAclId", required=True)
_TEXTS = (Field("NetworkAclName"), Field("Description"))
_NAMES: Final = {"NetworkAclName": "name", "Description": "description"}
_RESOURCES = (Field("Resource.N.ResourceId"), Field("Resource.N.ResourceType", "VSwitch"))
_MOST_RESOURCES: Final = 30
_LISTS: Final = {"Ingress": Direction.INGRESS, "Egress": Direction.EGRESS}
_FAULTS: Mapping[str, Fault] = {
    acls.HAS_ANOTHER: Fault(400, "OperationConflict"),
    acls.NOT_ITS_OWN: Fault(400, "OperationConflict"),
    "world.acl_of_other_vpc": Fault(400, "InvalidParameter", "The vSwitch and the network ACL are in different VPCs."),
    "limit.acls_per_vpc": Fault(400, "QuotaExceeded.NetworkAcl"),
    "limit.acl_rules": Fault(400, "QuotaExceeded.NetworkAclEntry"),
}


def operations() -> Iterator[Operation]:
    """The operations."""

    def one(name: str, doc: str, action: ram.Action, handle: Callable[[Call], Told], *fields: Field) -> Operation:
        return Operation(name, Product.VPC, doc, (action,), handle, (REGION, *fields), faults=_FAULTS)

    vpc, tags = Field("VpcId", required=True), (Field("Tag.N.Key"), Field("Tag.N.Value"))
    doc = "Makes a network ACL, which allows everything until it is told otherwise."
    yield one("CreateNetworkAcl", doc, ram.CREATE_NETWORK_ACL, _create, vpc, *_TEXTS, *tags)
    doc = "Deletes a network ACL that guards no vSwitch."
    yield one("DeleteNetworkAcl", doc, ram.DELETE_NETWORK_ACL, _delete, _ACL)
    doc, action = "Changes name and description.", ram.MODIFY_NETWORK_ACL_ATTRIBUTES
    yield one("ModifyNetworkAclAttributes", doc, action, _modify, _ACL, *_TEXTS)
    filters = (*map(Field, ("NetworkAclId", "NetworkAclName", "VpcId", "ResourceId", "ResourceType")), *BY_NUMBER)
    doc = (
        "The account's network ACLs with their custom entries; lines that another API made and this one cannot say"
        " (two addresses, source ports, disabled) are left out, and an ACL's fixed ones."
    )
    of_tags = (Field("Tags.N.Key"), Field("Tags.N.Value"))
    yield one("DescribeNetworkAcls", doc, ram.DESCRIBE_NETWORK_ACLS, _describe, *filters, *of_tags)
    yield one("DescribeNetworkAclAttributes", "One network ACL.", ram.DESCRIBE_NETWORK_ACLS, _one, _ACL)
    doc = "Has a network ACL guard vSwitches of its VPC that have none, at once."
    yield one("AssociateNetworkAcl", doc, ram.ASSOCIATE_NETWORK_ACL, _associate, _ACL, *_RESOURCES)
    doc = "Has it guard vSwitches no longer."
    yield one("UnassociateNetworkAcl", doc, ram.UNASSOCIATE_NETWORK_ACL, _unassociate, _ACL, *_RESOURCES)
    doc = "Replaces the entries of one direction or both; one that names its id keeps it."
    entries = (Field(f"{word}AclEntries.N.{name}") for word, way in _LISTS.items() for name in _entry_fields(way))
    flags = (Field(f"Update{word}AclEntries", "whether the entries are given") for word in _LISTS)
    yield one("UpdateNetworkAclEntries", doc, ram.UPDATE_NETWORK_ACL_ENTRIES, _update, _ACL, *entries, *flags)
    doc, source = "Has a network ACL say what another one says.", Field("SourceNetworkAclId", required=True)
    yield one("CopyNetworkAclEntries", doc, ram.COPY_NETWORK_ACL_ENTRIES, _copy, _ACL, source)


def _entry_fields(direction: Direction) -> tuple[str, ...]:
    return (*acl_entries.FIELDS, acl_entries.ADDRESS[direction])


# --- changes


def _on_acl(call: Call, change: Callable[[Draft, str], object]) -> Told:
    """Change the ACL that a request names."""
    id_ = call.said.required("NetworkAclId")

    def work(draft: Draft) -> Told:
        change(draft, draft.own(Kind.ACL, id_).id)
        return {}

    return call.change(work)


def _texts(said: Parameters) -> dict[str, Any]:
    given = {
        "NetworkAclName": name_of(said, "NetworkAclName", "IllegalParam.NetworkAclName"),
        "Description": description_of(said, "IllegalParam.Description", low=1),
    }
    return changed_fields(said, given, _NAMES)


def _create(call: Call) -> Told:
    said = call.said
    vpc, wanted = said.required("VpcId"), {**_texts(said), "tags": tags_said(said)}

    def work(draft: Draft) -> Told:
        made = basic.create(draft, Kind.ACL, {**wanted, "vpc": draft.own(Kind.VPC, vpc).id})
        return {"NetworkAclId": made.id, "NetworkAclAttribute": _told(call, made, call.state)}

    return call.change(work)


def _delete(call: Call) -> Told:
    return _on_acl(call, lambda draft, acl: basic.delete(draft, Kind.ACL, acl))


def _modify(call: Call) -> Told:
    wanted = _texts(call.said)
    if not wanted:
        raise missing("NetworkAclName")
    return _on_acl(call, lambda draft, acl: basic.update(draft, Kind.ACL, acl, wanted))


def _associate(call: Call) -> Told:
    subnets = _subnets(call.said)
    return _on_acl(call, lambda draft, acl: acls.associate(draft, acl, subnets))


def _unassociate(call: Call) -> Told:
    subnets = _subnets(call.said)
    return _on_acl(call, lambda draft, acl: acls.unassociate(draft, acl, subnets))


def _subnets(said: Parameters) -> list[str]:
    """The vSwitches that a request names; raises `InvalidFields`, `Refused`."""
    parts = said.parts("Resource")
    if not parts:
        raise missing("Resource.1.ResourceId")
    if len(parts) > _MOST_RESOURCES:
        raise invalid("Resource", f"use at most {_MOST_RESOURCES}", len(parts))
    for each in parts:
        if each.required("ResourceType").lower() != "vswitch":
            raise invalid(f"{each.path}ResourceType", "use VSwitch", each.text("ResourceType"))
    return [each.required("ResourceId") for each in parts]


def _update(call: Call) -> Told:
    said = call.said
    wanted = {way: said.parts(f"{word}AclEntries") for word, way in _LISTS.items() if _is_given(said, word)}
    if not wanted:
        raise missing("UpdateIngressAclEntries")

    def change(draft: Draft, acl: str) -> None:
        for way, parts in wanted.items():
            new: list[AclRule] = [acl_entries.read(draft, each, way) for each in parts]
            lines.replace_direction(draft, Kind.ACL, acl, way, new)

    return _on_acl(call, change)


def _is_given(said: Parameters, word: str) -> bool:
    """Whether the entries of a direction are to be replaced; raises `Refused` if there are some and nothing says so."""
    flag, given = said.flag(f"Update{word}AclEntries"), bool(said.parts(f"{word}AclEntries"))
    if given and not flag:
        raise missing(f"Update{word}AclEntries")
    return flag


def _copy(call: Call) -> Told:
    source = call.said.required("SourceNetworkAclId")
    return _on_acl(call, lambda draft, acl: acls.copy_lines(draft, source, acl))


# --- what is there


def _one(call: Call) -> Told:
    found = call.find(Kind.ACL, call.said.required("NetworkAclId"))
    return {"NetworkAclAttribute": _told(call, found, call.state)}


def _describe(call: Call) -> Told:
    said = call.said
    asked = {it.required("Key"): it.text("Value") for it in said.parts("Tags")}
    found = [it for it in call.visible(Kind.ACL) if _is_asked_for(call, it, asked)]
    page, told = by_number(said, found, lambda it: it.id)
    texts = {name: str(number) for name, number in told.items()}
    return {**texts, "NetworkAcls": {"NetworkAcl": [_told(call, it, call.state) for it in page]}}


def _is_asked_for(call: Call, resource: Resource, tags: Mapping[str, str]) -> bool:
    said, acl = call.said, cast("NetworkAcl", resource.value)
    subnet = said.text("ResourceId")
    return (
        resource.id == said.text("NetworkAclId", resource.id)
        and resource.name == said.text("NetworkAclName", resource.name)
        and acl.vpc == said.text("VpcId", acl.vpc)
        and said.text("ResourceType", "VSwitch").lower() == "vswitch"
        and (not subnet or subnet in _guarded(call.state, resource))
        and all(key in resource.tags and value in ("", resource.tags[key]) for key, value in tags.items())
    )


def _guarded(state: State, resource: Resource) -> list[str]:
    return [key.id for key in state.referrers(Key(Kind.ACL, resource.id)) if key.kind is Kind.SUBNET]


def _told(call: Call, resource: Resource, state: State) -> Told:
    acl = cast("NetworkAcl", resource.value)
    entries = {
        f"{word}AclEntries": {f"{word}AclEntry": list(acl_entries.told(acl.rules, resource.id, way))}
        for word, way in _LISTS.items()
    }
    guarded = ({"ResourceId": id_, "ResourceType": "VSwitch", "Status": "BINDED"} for id_ in _guarded(state, resource))
    return {
        "NetworkAclId": resource.id,
        "NetworkAclName": resource.name,
        "Description": resource.description,
        "VpcId": acl.vpc,
        "RegionId": call.region,
        "Status": "Available",
        "CreationTime": time_of(resource.created),
        "Resources": {"Resource": list(guarded)},
        "Tags": {"Tag": [{"Key": key, "Value": value} for key, value in sorted(resource.tags.items())]},
        **entries,
    }
