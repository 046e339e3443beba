"""Versions 1 and 2.0 know what the SDK's request models have, and nothing else; and they serve every call of theirs."""

from __future__ import annotations

import re
from typing import Any

import huaweicloudsdkvpc.v2 as v2
import huaweicloudsdkvpc.v2.model as models
import pytest

from ringfence.wire.huawei.members import Member
from ringfence.wire.huawei.operation import Operation
from ringfence.wire.huawei.v1.rooms import ROOMS as V1
from ringfence.wire.huawei.v2.rooms import ROOMS as V2
from tests.wire.huawei.calling import request_type

CALLS = [operation for room in (*V1, *V2) for operation in room.operations()]
_PLAIN = {"str": str, "int": int, "bool": bool}
_ELSEWHERE = (
    "bandwidth",
    "peering",
    "route",
    "flow_log",
    "privateip",
    "vpc_tag",
    "vpc_resource_tag",
    "subnet_tag",
    "by_tags",
)
_NEUTRON_SUBNETS = re.compile("neutron_.*_subnets?")


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.label)
def test_a_call_knows_what_its_model_has(call: Operation) -> None:
    model = request_type(v2, call.name)
    in_path = {part[1:-1] for part in call.path.split("/") if part.startswith("{")} - {"project_id"}
    assert set(model.attribute_map.values()) - {"body"} == {*in_path, *call.query}
    body = model.openapi_types.get("body")
    assert (body is not None) is bool(call.body)
    if body:
        _assert_alike(call.body, getattr(models, body), call.name)


def _assert_alike(members: tuple[Member, ...], model: Any, where: str) -> None:
    names = {wire: name for name, wire in model.attribute_map.items()}
    assert {it.name for it in members} == names.keys(), where
    for member in members:
        kind, place = model.openapi_types[names[member.name]], f"{where}.{member.name}"
        listed = re.fullmatch(r"list\[(.*)\]", kind)
        inner = getattr(models, listed[1] if listed else kind, None)
        wanted = list if listed else dict if inner or kind.startswith("dict(") else _PLAIN[kind]
        assert member.types == (wanted,), place
        if inner and not member.ignored:
            _assert_alike(member.of, inner, place)


def test_every_call_of_the_tables_is_served() -> None:
    about = ("security_group", "port", "firewall", "quota", "vpc", "subnet")
    methods = {name for name in dir(v2.VpcClient) if not name.startswith("_") and not name.endswith("_invoker")}
    wanted = {it for it in methods if any(word in it for word in about) and not any(word in it for word in _ELSEWHERE)}
    wanted = {it for it in wanted if not _NEUTRON_SUBNETS.fullmatch(it)}
    assert {call.name for call in CALLS} == wanted | {"list_security_groups_by_tags"}
