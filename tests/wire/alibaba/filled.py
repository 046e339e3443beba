"""Requests of the SDKs with everything in them that their models have: what an operation must know by name."""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from typing import Any

from alibabacloud_tea_openapi.utils import Utils

_SCALARS = {"str": "x", "int": 1, "bool": True, "float": 1.0}


def filled(model: type) -> Any:
    """A model of the new SDK with a value in every field, and one item in every list."""
    made = model()
    for name, parameter in inspect.signature(model).parameters.items():
        setattr(made, name, _value(str(parameter.annotation), sys.modules[model.__module__]))
    return made


def _value(annotation: str, module: Any) -> Any:
    if inner := re.fullmatch(r"List\[(.*)\]", annotation):
        return [_value(inner[1], module)]
    if annotation in _SCALARS:
        return _SCALARS[annotation]
    return filled(getattr(module.main_models, annotation.rpartition(".")[2]))


def new_parameters(request: Any) -> set[str]:
    """The names of the parameters of a request of the new SDK, lists with ``N``."""
    return {re.sub(r"\.\d+(?=\.|$)", ".N", name) for name in Utils.query(request.to_map())}


def old_parameters(operation: str) -> set[str]:
    """The names of all parameters that the old SDK's request of an operation can send, lists with ``N``."""
    module = importlib.import_module(f"aliyunsdkecs.request.v20140526.{operation}Request")
    source = inspect.getsource(module)
    found = set(re.findall(r"add_\w+_param\('([^']+)',", source))
    for text in re.findall(r"add_\w+_param\(('[^,]*str\(depth[^,]*),", source):
        parts = re.sub(r"str\(depth\d \+ 1\)", "'N'", text)
        found.add("".join(re.findall(r"'([^']*)'", parts)))
    return found
