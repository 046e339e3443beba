"""Subnets, version 1 (apis/huawei.md 3.7)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ringfence.control import basic
from ringfence.control.draft import Draft
from ringfence.control.ipv6 import free_prefix
from ringfence.control.kinds import Verb, action_of, actions_of
from ringfence.control.reading import addresses_left
from ringfence.model.address import Family
from ringfence.ram import actions as ram
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource
from ringfence.resources.state import State
from ringfence.wire.huawei.members import Member, invalid
from ringfence.wire.huawei.narrowing import narrowed
from ringfence.wire.huawei.networks import family_subnet_id, subnet_of
from ringfence.wire.huawei.operation import Call, Operation
from ringfence.wire.huawei.paging import plain_page
from ringfence.wire.huawei.telling import time_of
from ringfence.wire.huawei.v1.vpcs import tags_of_texts
from ringfence.wire.request import Fault, Told

_PATH = "/v1/{project_id}/subnets"
_ONE = "/v1/{project_id}/vpcs/{vpc_id}/subnets/{subnet_id}"
_DHCP = (
    Member("dhcp_enable", (bool,), ignored=True),
    Member("primary_dns", (str,), ignored=True),
    Member("secondary_dns", (str,), ignored=True),
    Member("dnsList", (list,), ignored=True),
    Member("extra_dhcp_opts", (list,), ignored=True),
    Member("enable_network_address_usage_metrics", (bool,), ignored=True),
)
"""What guests are told by DHCP, which is not ours, and metrics of addresses."""
_CHANGE = (
    Member("name", (str,), required=True),
    Member("description", (str,)),
    Member("ipv6_enable", (bool,)),
    *_DHCP,
)
_NEW = (
    *_CHANGE,
    Member("cidr", (str,), required=True),
    Member("vpc_id", (str,), required=True),
    Member("gateway_ip", (str,), required=True),
    Member("availability_zone", (str,), ignored=True),
    Member("tags", (list,)),
)
_FAULTS: Final[Mapping[str, Fault]] = {"resource.conflict": Fault(409, "VPC.0101")}
_DOC = (
    "DNS, DHCP and zone are taken and mean nothing. The gateway is the first address of the prefix: another one is "
    "refused. ipv6_enable gives it a /64 of its VPC, and the VPC a /56 of unique local addresses if it has no IPv6."
)


def operations() -> Iterator[Operation]:
    """The calls."""
    read = (action_of(Verb.READ, Kind.SUBNET),)
    yield Operation(
        "create_subnet",
        "POST",
        _PATH,
        f"Make a subnet. {_DOC}",
        (*actions_of(Verb.CREATE, Kind.SUBNET), ram.MODIFY_VPC_ATTRIBUTE),
        _create,
        201,
        body=(Member("subnet", (dict,), required=True, of=_NEW),),
        faults=_FAULTS,
    )
    yield Operation("list_subnets", "GET", _PATH, "List the subnets.", read, _list, query=("limit", "marker", "vpc_id"))
    yield Operation("show_subnet", "GET", f"{_PATH}/{{subnet_id}}", "Show a subnet.", read, _show)
    yield Operation(
        "update_subnet",
        "PUT",
        _ONE,
        f"Change a subnet; IPv6 cannot be taken away from it. {_DOC}",
        (*actions_of(Verb.UPDATE, Kind.SUBNET), ram.MODIFY_VPC_ATTRIBUTE),
        _update,
        body=(Member("subnet", (dict,), required=True, of=_CHANGE),),
        faults=_FAULTS,
    )
    yield Operation(
        "delete_subnet",
        "DELETE",
        _ONE,
        "Delete a subnet that nothing is in.",
        actions_of(Verb.DELETE, Kind.SUBNET),
        _delete,
        204,
    )


def _create(call: Call) -> Told:
    said = call.json["subnet"]

    def work(draft: Draft) -> Told:
        vpc = draft.own(Kind.VPC, said["vpc_id"])
        wanted = {**_common(said), "vpc": vpc.id, "cidr": said["cidr"], "tags": tags_of_texts(said.get("tags"))}
        if said.get("ipv6_enable"):
            wanted["cidr6"] = str(free_prefix(draft, vpc.id))
        made = basic.create(draft, Kind.SUBNET, wanted)
        _check_gateway(made, said["gateway_ip"])
        return {"subnet": _told(call.state, made)}

    return call.change(work)


def _check_gateway(subnet: Resource, said: str) -> None:
    known = [str(it) for it in subnet_of(subnet).gateways if it.family is Family.IPV4]
    if said not in known:
        raise invalid("gateway_ip", f"use the first address of cidr, {''.join(known)}", said)


def _list(call: Call) -> Told:
    told = [_told(call.state, it) for it in call.visible(Kind.SUBNET)]
    return plain_page(call, narrowed(call, told, ("vpc_id",)), "subnets")


def _show(call: Call) -> Told:
    return {"subnet": _told(call.state, call.find(Kind.SUBNET, call.path["subnet_id"]))}


def _update(call: Call) -> Told:
    said = call.json["subnet"]

    def work(draft: Draft) -> Told:
        found = _meant(draft, call)
        wanted, own = _common(said), subnet_of(found)
        if own.cidr6 and said.get("ipv6_enable") is False:
            raise invalid("ipv6_enable", "leave it out: IPv6 cannot be taken away from a subnet", False)
        if said.get("ipv6_enable") and not own.cidr6:
            wanted["cidr6"] = str(free_prefix(draft, own.vpc))
        return {"subnet": {"id": basic.update(draft, Kind.SUBNET, found.id, wanted).id, "status": "ACTIVE"}}

    return call.change(work)


def _delete(call: Call) -> Told:
    def work(draft: Draft) -> Told:
        basic.delete(draft, Kind.SUBNET, _meant(draft, call).id)
        return {}

    return call.change(work)


def _meant(draft: Draft, call: Call) -> Resource:
    """The subnet of a path, which must be in the VPC of the path."""
    vpc, found = draft.own(Kind.VPC, call.path["vpc_id"]), draft.own(Kind.SUBNET, call.path["subnet_id"])
    if subnet_of(found).vpc != vpc.id:
        raise draft.missing(Kind.SUBNET, found.id)
    return found


def _common(said: Mapping[str, Any]) -> dict[str, Any]:
    return {name: said[name] for name in ("name", "description") if said.get(name) is not None}


def _told(state: State, resource: Resource) -> dict[str, Any]:
    own = subnet_of(resource)
    gateways = {address.family: str(address) for address in own.gateways}
    return {
        "id": resource.id,
        "name": resource.name,
        "description": resource.description,
        "cidr": str(own.cidr or ""),
        "gateway_ip": gateways.get(Family.IPV4, ""),
        "ipv6_enable": own.cidr6 is not None,
        "cidr_v6": str(own.cidr6 or ""),
        "gateway_ip_v6": gateways.get(Family.IPV6, ""),
        "dhcp_enable": True,
        "primary_dns": "",
        "secondary_dns": "",
        "dnsList": [],
        "availability_zone": "",
        "vpc_id": own.vpc,
        "status": "ACTIVE",
        "neutron_network_id": resource.id,
        "neutron_subnet_id": family_subnet_id(resource.id, Family.IPV4) if own.cidr else "",
        "neutron_subnet_id_v6": family_subnet_id(resource.id, Family.IPV6) if own.cidr6 else "",
        "extra_dhcp_opts": [],
        "scope": "center",
        "tenant_id": resource.account,
        "created_at": time_of(resource.created),
        "updated_at": time_of(resource.created),
        "enable_network_address_usage_metrics": False,
        "available_ip_address_count": addresses_left(state, own),
    }
