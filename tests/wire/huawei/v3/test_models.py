"""Nothing is dropped in silence: what the SDK's request models have, each call knows, and nothing else."""

from __future__ import annotations

from typing import Any

import huaweicloudsdkvpc.v3 as sdk
import pytest

from ringfence.wire.huawei.members import Member
from ringfence.wire.huawei.operation import Operation
from ringfence.wire.huawei.v3.rooms import ROOMS
from tests.wire.huawei.v3.asking import member_model, request_model

CALLS = [operation for room in ROOMS for operation in room.operations()]
_PLAIN = {"str": str, "int": int, "bool": bool}


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name)
def test_a_call_knows_what_its_model_has(call: Operation) -> None:
    model = request_model(call.name)
    in_path = {part[1:-1] for part in call.path.split("/") if part.startswith("{")} - {"project_id"}
    assert set(model.attribute_map.values()) - {"body"} == {*in_path, *call.query}
    body = model.openapi_types.get("body")
    assert (body is not None) is bool(call.body)
    if body:
        _assert_alike(call.body, getattr(sdk, body), call.name)


def _assert_alike(members: tuple[Member, ...], model: Any, where: str) -> None:
    names = {wire: name for name, wire in model.attribute_map.items()}
    assert {it.name for it in members} == names.keys(), where
    for member in members:
        kind, place = model.openapi_types[names[member.name]], f"{where}.{member.name}"
        inner = member_model(kind)
        if kind.startswith("list["):
            assert member.types == (list,), place
        else:
            assert member.types == ((dict,) if inner else (_PLAIN[kind],)), place
        if inner:
            _assert_alike(member.of, inner, place)


def test_every_call_of_the_table_is_served() -> None:
    about = ("security_group", "port", "sub_network_interface", "address_group", "firewall", "quota", "vpc")
    known = {name for name in dir(sdk.VpcClient) if not name.startswith("_") and any(word in name for word in about)}
    elsewhere = (
        "traffic_mirror",
        "virsubnet",
        "cidr_reservation",
        "clouddcn",
        "vpc_tag",
        "port_tag",
        "interface_tag",
        "interfaces_by_tags",
        "ports_by_tags",
        "_async",
    )
    wanted = {name for name in known if not any(word in name for word in elsewhere)}
    assert {name for name in wanted if name.endswith("_invoker")} | {call.name for call in CALLS} >= wanted
