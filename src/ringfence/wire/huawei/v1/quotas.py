"""Quotas, version 1 (apis/huawei.md 3.5 and 3.7)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ringfence.control.checks import PER_ACCOUNT, limit_of
from ringfence.ram import actions as ram
from ringfence.resources.kind import Kind
from ringfence.wire.huawei.members import invalid
from ringfence.wire.huawei.operation import Call, Operation
from ringfence.wire.request import Told

_TYPES: Final[Mapping[str, Kind]] = {
    "vpc": Kind.VPC,
    "subnet": Kind.SUBNET,
    "securityGroup": Kind.GROUP,
    "securityGroupRule": Kind.RULE,
    "addressGroup": Kind.ADDRESS_GROUP,
    "firewall": Kind.ACL,
    "vpcPeer": Kind.PEERING,
}
_UNLIMITED: Final = -1


def operations() -> Iterator[Operation]:
    """The call."""
    yield Operation(
        "show_quota",
        "GET",
        "/v1/{project_id}/quotas",
        "Show what the project has and may have. Subnets and rules have no limit of the project's (-1): each VPC and "
        "each group has one. Types of what is not served are refused.",
        (ram.DESCRIBE_QUOTAS,),
        _show,
        query=("type",),
    )


def _show(call: Call) -> Told:
    call.control.authority.require_kind(call.caller, ram.DESCRIBE_QUOTAS, Kind.QUOTA)
    wanted = call.one("type")
    if wanted is not None and wanted not in _TYPES:
        raise invalid("type", f"use one of {', '.join(_TYPES)}", wanted)
    return {"quotas": {"resources": [_told(call, name) for name in _TYPES if wanted in (None, name)]}}


def _told(call: Call, name: str) -> dict[str, Any]:
    kind, state = _TYPES[name], call.state
    limit = limit_of(state.world, call.project, PER_ACCOUNT[kind]) if kind in PER_ACCOUNT else _UNLIMITED
    return {"type": name, "used": state.count(call.project, kind), "quota": limit, "min": 0}
