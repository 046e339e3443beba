"""Calls of version 3 through the vendor's SDK: its request models are built of plain values, its answers are checked.

The SDK takes no offence at what its models do not know, and leaves what they lack empty: so each answer is held against
the models here, whole.
"""

from __future__ import annotations

import json
import re
from typing import Any

import huaweicloudsdkvpc.v3 as sdk
import pytest
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException, ServiceResponseException

_UNTOLD = {"create_vpc": {"vpc"}, "update_vpc": {"vpc"}}
"""What an answer has besides what its model knows."""


def request_model(method: str) -> Any:
    """The SDK's model of a call's request."""
    return getattr(sdk, "".join(part.capitalize() for part in method.split("_")) + "Request")


def ask(client: Any, method: str, body: dict[str, Any] | None = None, **said: Any) -> Any:
    """Ask for a call, with the parameters of path and query and the body as plain values."""
    model = request_model(method)
    if body is not None:
        said["body"] = _made(model.openapi_types["body"], body)
    answer = getattr(client, method)(model(**said))
    _check(answer, method)
    return answer


def dry_run(client: Any, method: str, body: dict[str, Any], **said: Any) -> int:
    """The status of a dry run, whose answer has nothing but the request's id."""
    model = request_model(method)
    answer = getattr(client, method)(model(body=_made(model.openapi_types["body"], body | {"dry_run": True}), **said))
    assert json.loads(answer.raw_content).keys() == {"request_id"}
    return int(answer.status_code)


def refused(client: Any, method: str, body: dict[str, Any] | None = None, **said: Any) -> tuple[int, str, str]:
    """Ask for what is refused: status, code and message."""
    with pytest.raises(ServiceResponseException) as error:
        ask(client, method, body, **said)
    assert isinstance(error.value, ClientRequestException)
    assert error.value.request_id
    return error.value.status_code, error.value.error_code, error.value.error_msg


def member_model(kind: str) -> Any:
    """The model of a member that a model declares as of this type, or of the items of a list of it; None of a plain."""
    return getattr(sdk, re.sub(r"^list\[(.*)\]$", r"\1", kind), None)


def _made(kind: str, said: Any) -> Any:
    model = member_model(kind)
    if model is None:
        return said
    if isinstance(said, list):
        return [_made(model.__name__, each) for each in said]
    names = {wire: name for name, wire in model.attribute_map.items()}
    return model(**{names[wire]: _made(model.openapi_types[names[wire]], value) for wire, value in said.items()})


def _check(answer: Any, method: str) -> None:
    raw = json.loads(answer.raw_content or b"{}")
    for name in _UNTOLD.get(method, ()):
        raw.pop(name, None)
    optional = {"error_msg", "error_code"}
    assert_like(raw, type(answer), method, optional)


def assert_like(raw: Any, model: Any, where: str, optional: set[str] | None = None) -> None:
    """Hold what came over the wire against a model: the same members, and of the types that it declares."""
    if isinstance(raw, list):
        for each in raw:
            assert_like(each, model, where, optional)
        return
    allowed = (optional or set()) | {"next_marker", "previous_marker", "ovs_hybrid_plug", "vlan_id", "parent_id"}
    allowed |= {"parent_device_id"}
    known = set(model.attribute_map.values())
    assert raw.keys() <= known, (where, raw.keys() - known)
    assert known - raw.keys() <= allowed, (where, known - raw.keys())
    for name, wire in model.attribute_map.items():
        kind, value = model.openapi_types[name], raw.get(wire)
        if value is not None:
            _assert_type(value, kind, f"{where}.{wire}")


def _assert_type(value: Any, kind: str, where: str) -> None:
    assert kind.startswith("list[") is isinstance(value, list), (where, kind, value)
    if (model := member_model(kind)) is not None:
        assert_like(value, model, where)
    elif plain := {"int": int, "bool": bool, "str": str, "datetime": str}.get(kind):
        assert isinstance(value, plain), (where, kind, value)
        assert not (plain is int and isinstance(value, bool)), (where, kind, value)
