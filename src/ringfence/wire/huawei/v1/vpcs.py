"""VPCs, version 1 (apis/huawei.md 3.7)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from ringfence.control import basic
from ringfence.control.draft import Draft
from ringfence.control.kinds import Verb, action_of, actions_of
from ringfence.model.address import Family
from ringfence.model.profile import HUAWEI
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource
from ringfence.resources.values import SharedVpc
from ringfence.wire.huawei.members import Member, invalid
from ringfence.wire.huawei.narrowing import PROJECT, check_project, narrowed
from ringfence.wire.huawei.operation import Call, Operation, deleting
from ringfence.wire.huawei.paging import plain_page
from ringfence.wire.huawei.tagged import said_tags
from ringfence.wire.huawei.telling import time_of
from ringfence.wire.request import Told

_PATH = "/v1/{project_id}/vpcs"
_ROUTES = Member("routes", (list,), of=(Member("destination", (str,)), Member("nexthop", (str,))))
_METRICS = Member("enable_network_address_usage_metrics", (bool,), ignored=True)
_BASE = (Member("name", (str,)), Member("description", (str,)), Member("cidr", (str,)), _METRICS)
_NEW = (
    *_BASE,
    Member("enterprise_project_id", (str,)),
    Member("tags", (list,)),
    Member("block_service_endpoint_states", (str,), ignored=True),
)
_DOC = "Routes cannot be set: every subnet of a VPC reaches every other one, and peered VPCs reach each other."


def operations() -> Iterator[Operation]:
    """The calls."""
    read = (action_of(Verb.READ, Kind.VPC),)
    yield Operation(
        "create_vpc",
        "POST",
        _PATH,
        "Make a VPC with the profile huawei. Endpoints and address metrics are taken and mean nothing.",
        actions_of(Verb.CREATE, Kind.VPC),
        _create,
        201,
        body=(Member("vpc", (dict,), required=True, of=_NEW),),
    )
    query = ("limit", "marker", "id", "enterprise_project_id")
    yield Operation("list_vpcs", "GET", _PATH, "List the VPCs.", read, _list, query=query)
    yield Operation("show_vpc", "GET", f"{_PATH}/{{vpc_id}}", "Show a VPC.", read, _show)
    yield Operation(
        "update_vpc",
        "PUT",
        f"{_PATH}/{{vpc_id}}",
        f"Change a VPC; a cidr takes the place of its first IPv4 one. {_DOC}",
        actions_of(Verb.UPDATE, Kind.VPC),
        _update,
        body=(Member("vpc", (dict,), required=True, of=(*_BASE, _ROUTES)),),
    )
    yield Operation(
        "delete_vpc",
        "DELETE",
        f"{_PATH}/{{vpc_id}}",
        "Delete a VPC that nothing is in.",
        actions_of(Verb.DELETE, Kind.VPC),
        deleting(Kind.VPC, "vpc_id"),
        204,
    )


def _create(call: Call) -> Told:
    said = call.json["vpc"]
    check_project(said.get("enterprise_project_id"))

    def work(draft: Draft) -> Told:
        wanted = {**_common(said), "profile": HUAWEI.name, "cidrs": [said["cidr"]] if said.get("cidr") else []}
        return {"vpc": _told(basic.create(draft, Kind.VPC, wanted | {"tags": tags_of_texts(said.get("tags"))}))}

    return call.change(work)


def _list(call: Call) -> Told:
    told = [_told(it) for it in call.visible(Kind.VPC)]
    return plain_page(call, narrowed(call, told, ("id",)), "vpcs")


def _show(call: Call) -> Told:
    return {"vpc": _told(call.find(Kind.VPC, call.path["vpc_id"]))}


def _update(call: Call) -> Told:
    said = call.json["vpc"]
    if said.get("routes"):
        raise invalid("routes", "leave them out: routes are not served", said["routes"])

    def work(draft: Draft) -> Told:
        found = draft.own(Kind.VPC, call.path["vpc_id"])
        wanted = _common(said)
        if said.get("cidr"):
            wanted["cidrs"] = [said["cidr"], *(str(it) for it in _vpc(found).vpc.cidrs if str(it) != main_cidr(found))]
        return {"vpc": _told(basic.update(draft, Kind.VPC, found.id, wanted))}

    return call.change(work)


def _common(said: Mapping[str, Any]) -> dict[str, Any]:
    return {name: said[name] for name in ("name", "description") if said.get(name) is not None}


def tags_of_texts(said: Sequence[str] | None) -> dict[str, str]:
    """Tags said as ``key*value``, as version 1 has them of VPCs and subnets. Raises `InvalidFields`."""
    pairs = [each.partition("*") for each in said or ()]
    return said_tags([{"key": key, "value": value} for key, _, value in pairs], new=True)


def _vpc(resource: Resource) -> SharedVpc:
    return cast("SharedVpc", resource.value)


def main_cidr(resource: Resource) -> str:
    """The IPv4 prefix that a VPC is shown with: its first; empty where it has none."""
    return next((str(it) for it in _vpc(resource).vpc.cidrs if it.family is Family.IPV4), "")


def _told(resource: Resource) -> dict[str, Any]:
    return {
        "id": resource.id,
        "name": resource.name,
        "description": resource.description,
        "cidr": main_cidr(resource),
        "routes": [],
        "status": "OK",
        "enterprise_project_id": PROJECT,
        "tenant_id": resource.account,
        "created_at": time_of(resource.created),
        "updated_at": time_of(resource.created),
        "block_service_endpoint_states": "",
        "enable_network_address_usage_metrics": False,
    }
