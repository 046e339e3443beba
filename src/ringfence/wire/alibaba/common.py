"""What many operations read alike: lists as JSON, filters, and what is not there to be set."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Any, Final

from ringfence.control import basic
from ringfence.control.draft import Draft
from ringfence.errors import Refused
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource
from ringfence.wire.alibaba.operation import Call, Field
from ringfence.wire.alibaba.parameters import Parameters, invalid
from ringfence.wire.request import Told

REGION: Final = Field("RegionId", required=True)
_ASKED_AT_ONCE: Final = 100


def minute(resource: Resource) -> str:
    """When a resource was made, as instances and networks are told: ``2018-12-12T07:28Z``."""
    return f"{resource.created[:16]}Z" if resource.created else ""


def json_list(said: Parameters, name: str, code: str = "InvalidParameter") -> list[str] | None:
    """The texts of a parameter that is a list as JSON, or None if it is not there; raises `InvalidFields`."""
    text = said.text(name)
    if not text:
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list) or not all(isinstance(it, str) for it in found) or len(found) > _ASKED_AT_ONCE:
        raise invalid(name, f'use JSON with at most {_ASKED_AT_ONCE} texts: ["a", "b"]', text, code)
    return found


def matches(text: str, pattern: str) -> bool:
    """Whether a text is what a filter asks for, in which ``*`` stands for any characters."""
    return fnmatchcase(text, pattern.replace("[", "[[]").replace("?", "[?]"))


def refuse_unserved(said: Parameters, names: Mapping[str, str]) -> None:
    """Raise `Refused` for parameters that ask for what there is nothing of here; ``names`` say why."""
    for name, why in names.items():
        given = [key for key, value in said.values.items() if value and (key == name or key.startswith(f"{name}."))]
        if given:
            raise Refused(f"{said.path}{given[0]} is not supported: {why}.", reason="UnsupportedOperation", field=name)


def refuse_resource_group(call: Call) -> None:
    """Raise `Refused` if a request names a resource group: everything is in the account's only one, which has no id."""
    if said := call.said.text("ResourceGroupId"):
        what = "The specified resource group does not exist in our records."
        raise Refused(what, reason="InvalidResourceGroup.NotFound", field="ResourceGroupId", value=said)


def deleting(kind: Kind, parameter: str) -> Callable[[Call], Told]:
    """A handler that deletes what a parameter names."""

    def handle(call: Call) -> Told:
        id_ = call.said.required(parameter)

        def work(draft: Draft) -> Told:
            basic.delete(draft, kind, draft.own(kind, id_).id)
            return {}

        return call.change(work)

    return handle


def changed_fields(said: Parameters, given: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """The fields that a request changes, by our names for them: those that it says, and an empty text says nothing.

    ``names`` leads from the vendor's names to ours, ``given`` holds what was read of each.
    """
    return {ours: given[name] for name, ours in names.items() if name in said}
