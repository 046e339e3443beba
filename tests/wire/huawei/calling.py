"""Calls through Huawei's SDK by the names of its methods, with requests made of its own models."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import huaweicloudsdkvpc.v2 as v2
import huaweicloudsdkvpc.v2.model as v2_models
import pytest
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException

from ringfence.client.client import Client
from tests.wire.sdks import Sdks


def ask(sdks: Sdks, method: str, body: Mapping[str, Any] | None = None, /, **said: Any) -> Any:
    """What the SDK of versions 1 and 2.0 makes of the answer to a call: ``said`` are parts of the path and the query.

    The body is as on the wire; every member of it must be one of the SDK's model. So must every one of the answer be.
    """
    request = request_type(v2, method)(**said)
    if body is not None:
        request.body = model(v2_models, request.openapi_types["body"], body)
    answer = getattr(sdks.huawei_v2(), method)(request)
    assert_like(json.loads(answer.raw_content or b"{}"), type(answer), method)
    return answer


_PLAIN = {"int": int, "bool": bool, "str": str, "datetime": str}


def assert_like(raw: Any, kind: Any, where: str) -> None:
    """Hold an object that came over the wire against a model: the same members, of the types that it declares."""
    known = set(kind.attribute_map.values())
    assert known - _LEFT_OUT.get(kind, set()) <= raw.keys() <= known, (where, raw.keys())
    for name, wire in kind.attribute_map.items():
        value, declared = raw.get(wire), kind.openapi_types[name]
        if value is not None:
            listed = re.fullmatch(r"list\[(.*)\]", declared)
            assert isinstance(value, list) is bool(listed), (where, wire, value)
            for each in value if listed else [value]:
                _assert_type(each, listed[1] if listed else declared, f"{where}.{wire}")


_LEFT_OUT: dict[Any, set[str]] = {
    v2.BindingVifDetails: {"port_filter", "ovs_hybrid_plug", "vlan_id", "parent_id", "parent_device_id"},
    v2.ListSecurityGroupsByTagsResponse: {"resources"},
}
"""What the answers of some models leave out where it says nothing; the number of groups comes without the groups."""


def _assert_type(value: Any, declared: str, where: str) -> None:
    found = getattr(v2_models, declared, None)
    if found is not None:
        assert_like(value, found, where)
    elif plain := _PLAIN.get(declared):
        assert type(value) is plain, (where, declared, value)


def native(sdks: Sdks) -> Client:
    """The native API, of the same key."""
    return Client(sdks.url, key=sdks.key)


def refused(sdks: Sdks, method: str, body: Mapping[str, Any] | None = None, /, **said: Any) -> tuple[int, str]:
    """Status and code of a call's refusal, as the SDK reads them."""
    with pytest.raises(ClientRequestException) as error:
        ask(sdks, method, body, **said)
    assert error.value.error_msg, method
    return error.value.status_code, error.value.error_code


Table = list[tuple[str, dict[str, Any] | None, dict[str, Any], tuple[int, str]]]
"""Calls with their bodies and what is in the path and the query, and the status and code of their refusals."""


def check(sdks: Sdks, table: Table) -> None:
    """Make calls that are to be refused, and look at how each is."""
    found = [(*call, refused(sdks, call[0], call[1], **call[2])) for call in table]
    wrong = [told for told in found if told[3] != told[4]]
    assert not wrong, wrong


def request_type(module: ModuleType, method: str) -> Any:
    """The model of the request of a method."""
    return getattr(module, "".join(word.title() for word in method.split("_")) + "Request")


def model(module: ModuleType, kind: str, said: Any) -> Any:
    """A value of one of the SDK's types, of JSON; raises `KeyError` for a member that the type does not have."""
    if listed := re.fullmatch(r"list\[(.*)\]", kind):
        return [model(module, listed[1], each) for each in said]
    found = getattr(module, kind, None)
    if found is None or said is None:
        return said
    names = {wire: name for name, wire in found.attribute_map.items()}
    return found(**{names[wire]: model(module, found.openapi_types[names[wire]], it) for wire, it in said.items()})
