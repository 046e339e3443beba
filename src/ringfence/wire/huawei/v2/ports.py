"""Ports, version 2.0 (apis/huawei.md 3.7)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from ringfence.control.kinds import Verb, actions_of
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource
from ringfence.wire.huawei.members import Member
from ringfence.wire.huawei.narrowing import narrowed
from ringfence.wire.huawei.operation import Call, Operation
from ringfence.wire.huawei.paging import linked_page
from ringfence.wire.huawei.telling import time_of
from ringfence.wire.huawei.v1 import ports
from ringfence.wire.huawei.v1.port_telling import told_alike
from ringfence.wire.huawei.v1.ports import CHANGE, FAULTS, FILTERS, LISTED, MAKE, NEW, READ, REFUSED
from ringfence.wire.request import Told

_PATH = "/v2.0/ports"
_ONE = f"{_PATH}/{{port_id}}"
_MORE = (
    Member("binding:profile", (dict,), ignored=True),
    Member("binding:vnic_type", (str,)),
    Member("port_security_enabled", (bool,)),
)


def operations() -> Iterator[Operation]:
    """The calls."""
    yield Operation(
        "neutron_create_port",
        "POST",
        _PATH,
        f"Make a port, which an instance gets by the native API or Alibaba's. Without groups it is in the default "
        f"group. {REFUSED}",
        MAKE,
        partial(ports.create, tell=_told),
        201,
        body=(Member("port", (dict,), required=True, of=(*NEW, *_MORE)),),
        faults=FAULTS,
    )
    yield Operation(
        "neutron_list_ports",
        "GET",
        _PATH,
        f"List the ports. {LISTED}",
        READ,
        _list,
        query=("limit", "marker", *FILTERS, "admin_state_up", "fixed_ips", "tenant_id"),
    )
    yield Operation("neutron_show_port", "GET", _ONE, f"Show a port. {LISTED}", READ, partial(ports.show, tell=_told))
    yield Operation(
        "neutron_update_port",
        "PUT",
        _ONE,
        f"Call a port otherwise, or have it be in these groups and no others. {REFUSED}",
        actions_of(Verb.UPDATE, Kind.PORT),
        partial(ports.update, tell=_told),
        body=(Member("port", (dict,), required=True, of=(*CHANGE, *_MORE)),),
        faults=FAULTS,
    )
    yield Operation(
        "neutron_delete_port",
        "DELETE",
        _ONE,
        "Delete a port.",
        actions_of(Verb.DELETE, Kind.PORT),
        ports.delete,
        204,
        faults=FAULTS,
    )


def _list(call: Call) -> Told:
    found = narrowed(call, ports.every(call, _told), (*FILTERS, "tenant_id"), ("admin_state_up",))
    return linked_page(call, ports.at_addresses(call, found), "ports")


def _told(resource: Resource) -> dict[str, Any]:
    at = time_of(resource.created)
    return told_alike(resource) | {"project_id": resource.account, "created_at": at, "updated_at": at}
