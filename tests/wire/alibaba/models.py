"""What the SDK's own models say of requests and answers, looked up mechanically."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from alibabacloud_ecs20140526 import models

_PLAIN: Mapping[str, type] = {"str": str, "int": int, "bool": bool, "float": float}
_MODEL = re.compile(r"(List\[)?main_models\.(\w+)\]?")


def snake(name: str) -> str:
    """The client's method for an operation: ``describe_security_groups``."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def request_names(operation: str) -> Iterator[str]:
    """Every parameter that the model of a request has, ``N`` for the numbers of lists."""
    yield from _names(getattr(models, f"{operation}Request"), "")


def _names(model: type, path: str) -> Iterator[str]:
    for key, (kind, nested) in _fields(model).items():
        if nested:
            yield from _names(nested, f"{path}{key}.N." if kind == "list" else f"{path}{key}.")
        else:
            yield f"{path}{key}.N" if kind == "list" else f"{path}{key}"


def checked(operation: str, told: Mapping[str, Any], package: Any = models) -> dict[str, Any]:
    """An answer, after a look at it by the SDK's model: that has each field, and each value is of its type."""
    model = getattr(package, f"{operation}ResponseBody")
    found: dict[str, Any] = model().from_map(dict(told)).to_map()
    assert found == told, (operation, found, told)
    _check_types(model, told)
    return found


def _check_types(model: type, told: Mapping[str, Any]) -> None:
    fields = _fields(model)
    for key, value in told.items():
        kind, nested = fields[key]
        values = value if kind == "list" else [value]
        for each in values:
            if nested:
                _check_types(nested, each)
            else:
                expected = str if kind == "list" else _PLAIN[kind]
                assert type(each) is expected, (model, key, each)


def _fields(model: type) -> dict[str, tuple[str, type | None]]:
    """By its name on the wire, the type of each field of a model (``list`` for lists), and the model that it holds."""
    package = sys.modules[model.__module__.rpartition(".")[0]]
    hints = {name: str(it.annotation).strip("'") for name, it in inspect.signature(model).parameters.items()}
    filled = {name: _filling(hint, package) for name, hint in hints.items()}
    found: dict[str, tuple[str, type | None]] = {}
    for name, hint in hints.items():
        only = model(**{name: filled[name]}).to_map()  # says what the field is called on the wire
        (key,) = [key for key, value in only.items() if value is not None and value != []] or list(only)
        nested = _MODEL.fullmatch(hint)
        kind = "list" if hint.startswith("List") else hint if hint in _PLAIN else "object"
        found[key] = (kind, getattr(package, nested[2]) if nested else None)
    return found


def _filling(hint: str, package: Any) -> Any:
    nested = _MODEL.fullmatch(hint)
    value = getattr(package, nested[2])() if nested else "x"
    return [value] if hint.startswith("List") else value
