"""Ports, version 1; version 2.0 has the same with a few members more (apis/huawei.md 3.5 and 3.7)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Final

from ringfence.control import basic
from ringfence.control.draft import Draft
from ringfence.control.kinds import Verb, action_of, actions_of
from ringfence.errors import Conflict
from ringfence.ram import actions as ram
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource
from ringfence.wire.huawei.members import Member, invalid
from ringfence.wire.huawei.narrowing import narrowed
from ringfence.wire.huawei.networks import (
    ROUTER,
    family_subnet_id,
    subnet_of,
    subnet_of_router_port,
)
from ringfence.wire.huawei.operation import Call, Operation
from ringfence.wire.huawei.paging import plain_page
from ringfence.wire.huawei.v1.port_telling import told
from ringfence.wire.request import Fault, Told

MAKE: Final = (
    *actions_of(Verb.CREATE, Kind.PORT),
    ram.CREATE_SECURITY_GROUP,
    ram.AUTHORIZE_SECURITY_GROUP,
    ram.AUTHORIZE_SECURITY_GROUP_EGRESS,
)
"""What a new port may take: the first one without groups makes the default group."""
READ: Final = (action_of(Verb.READ, Kind.PORT), action_of(Verb.READ, Kind.SUBNET))
_PATH = "/v1/{project_id}/ports"
_PAIRS = Member("allowed_address_pairs", (list,), of=(Member("ip_address", (str,)), Member("mac_address", (str,))))
_DHCP = Member("extra_dhcp_opts", (list,), ignored=True)
CHANGE: Final = (Member("name", (str,)), Member("security_groups", (list,)), _PAIRS, _DHCP)
"""What a change of a port says in either version."""
NEW: Final = (
    *CHANGE,
    Member("network_id", (str,), required=True),
    Member("fixed_ips", (list,), of=(Member("ip_address", (str,)), Member("subnet_id", (str,)))),
    Member("device_owner", (str,)),
    Member("admin_state_up", (bool,)),
)
"""What a new port says in either version."""
FAULTS: Final[Mapping[str, Fault]] = {
    "resource.in_use": Fault(409, "VPC.2500"),
    "resource.conflict": Fault(409, "VPC.2500"),
    "world.address_in_use": Fault(409, "VPC.0701"),
}
REFUSED: Final = (
    "Refused are: address pairs (give an instance its addresses by the native API), a device_owner (virtual IPs are "
    "made by the native API), and a port that is down or unguarded. Options of DHCP are taken and mean nothing."
)
"""What of a port cannot be said."""
LISTED: Final = (
    f"Each subnet has a port at its router, with the device_owner {ROUTER}, that network ACLs of version 2.0 are bound "
    "to. It cannot be changed, and version 3 and the native API do not know it."
)
FILTERS: Final = ("name", "id", "network_id", "mac_address", "device_id", "device_owner", "status", "security_groups")
Tell = Callable[[Resource], dict[str, Any]]


def operations() -> Iterator[Operation]:
    """The calls."""
    yield Operation(
        "create_port",
        "POST",
        _PATH,
        f"Make a port, which an instance gets by the native API or Alibaba's. Without groups it is in the default "
        f"group. {REFUSED}",
        MAKE,
        partial(create, tell=told),
        201,
        body=(Member("port", (dict,), required=True, of=(*NEW, Member("tenant_id", (str,)))),),
        faults=FAULTS,
    )
    yield Operation(
        "list_ports",
        "GET",
        _PATH,
        f"List the ports. {LISTED}",
        READ,
        _list,
        query=("limit", "marker", *FILTERS, "admin_state_up", "fixed_ips", "enterprise_project_id", "enable_efi"),
    )
    one = f"{_PATH}/{{port_id}}"
    yield Operation("show_port", "GET", one, f"Show a port. {LISTED}", READ, partial(show, tell=told))
    yield Operation(
        "update_port",
        "PUT",
        one,
        f"Call a port otherwise, or have it be in these groups and no others. {REFUSED}",
        actions_of(Verb.UPDATE, Kind.PORT),
        partial(update, tell=told),
        body=(Member("port", (dict,), required=True, of=CHANGE),),
        faults=FAULTS,
    )
    yield Operation(
        "delete_port", "DELETE", one, "Delete a port.", actions_of(Verb.DELETE, Kind.PORT), delete, 204, faults=FAULTS
    )


# --- what both versions do


def create(call: Call, tell: Tell) -> Told:
    """Make a port."""
    said = call.json["port"]
    _check(call, said)

    def work(draft: Draft) -> Told:
        subnet = draft.usable(Kind.SUBNET, said["network_id"])
        if subnet is None:
            raise draft.missing(Kind.SUBNET, said["network_id"])
        groups = [draft.own(Kind.GROUP, id_).id for id_ in said.get("security_groups") or ()]
        wanted = {
            "subnet": subnet.id,
            "groups": groups or [basic.default_group(draft, subnet_of(subnet).vpc).id],
            "addresses": _addresses(subnet, said.get("fixed_ips") or ()),
            "label": said.get("name") or "",
        }
        return {"port": tell(basic.create(draft, Kind.PORT, wanted))}

    return call.change(work)


def _addresses(subnet: Resource, said: Any) -> list[str]:
    """The addresses that a new port asks for; none: it gets free ones."""
    parts = {family_subnet_id(subnet.id, prefix.family) for prefix in subnet_of(subnet).prefixes}
    for each in said:
        if each.get("subnet_id") and each["subnet_id"] not in parts:
            raise invalid("fixed_ips", f"give neutron_subnet_id or neutron_subnet_id_v6 of {subnet.id}", each)
    return [each["ip_address"] for each in said if each.get("ip_address")]


def update(call: Call, tell: Tell) -> Told:
    """Change a port."""
    said = call.json["port"]
    _check(call, said)

    def work(draft: Draft) -> Told:
        found, wanted = _own(draft, call), {}
        if said.get("name") is not None:
            wanted["label"] = said["name"]
        if said.get("security_groups") is not None:
            wanted["groups"] = [draft.own(Kind.GROUP, id_).id for id_ in said["security_groups"]]
        return {"port": tell(basic.update(draft, Kind.PORT, found.id, wanted))}

    return call.change(work)


def _check(call: Call, said: Mapping[str, Any]) -> None:
    """Refuse what of a port cannot be said."""
    for name, known, right in (
        ("tenant_id", (call.project,), "use the project of the key"),
        ("device_owner", ("",), "leave it out: virtual IPs are made by the native API"),
        ("admin_state_up", (True,), "use true"),
        ("port_security_enabled", (True,), "use true"),
        ("binding:vnic_type", ("normal",), "use normal"),
        ("allowed_address_pairs", ([],), "leave them out: they are not served"),
    ):
        if said.get(name) is not None and said[name] not in known:
            raise invalid(name, right, said[name])


def delete(call: Call) -> Told:
    """Delete a port."""

    def work(draft: Draft) -> Told:
        basic.delete(draft, Kind.PORT, _own(draft, call).id)
        return {}

    return call.change(work)


def _own(draft: Draft, call: Call) -> Resource:
    id_ = call.path["port_id"]
    if subnet := subnet_of_router_port(draft.state, call.project, id_):
        what = f"port {id_} is that of subnet {subnet.id} at its router"
        raise Conflict(what, "leave it as it is", field="port_id", value=id_)
    return draft.own(Kind.PORT, id_)


def every(call: Call, tell: Tell) -> list[dict[str, Any]]:
    """All ports that the caller may see, and those at the router of subnets that the caller may see."""
    read, state = action_of(Verb.READ, Kind.SUBNET), call.state
    subnets = [it for it in state.owned(call.project, Kind.SUBNET) if call.control.authority.may(call.caller, read, it)]
    return [*map(tell, call.visible(Kind.PORT)), *map(tell, subnets)]


def show(call: Call, tell: Tell) -> Told:
    """Show a port."""
    subnet = subnet_of_router_port(call.state, call.project, call.path["port_id"])
    found = call.find(Kind.SUBNET, subnet.id) if subnet else call.find(Kind.PORT, call.path["port_id"])
    return {"port": tell(found)}


def at_addresses(call: Call, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The ports that have one of the ``fixed_ips`` of the query: ``ip_address=10.0.1.11`` or ``subnet_id=…``."""
    wanted = [each.partition("=") for each in call.query.get("fixed_ips", ())]
    for name, _, _ in wanted:
        if name not in ("ip_address", "subnet_id"):
            raise invalid("fixed_ips", "use ip_address=ADDRESS or subnet_id=ID", name)
    return [
        it
        for it in items
        if not wanted or any(has[name] == value for name, _, value in wanted for has in it["fixed_ips"])
    ]


def _list(call: Call) -> Told:
    found = at_addresses(call, narrowed(call, every(call, told), FILTERS, ("admin_state_up", "enable_efi")))
    return plain_page(call, found, "ports")
