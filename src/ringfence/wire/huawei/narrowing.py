"""Lists of Huawei's APIs narrowed down by the parameters of the query."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ringfence.errors import FieldProblem, InvalidFields
from ringfence.wire.huawei.members import invalid
from ringfence.wire.huawei.operation import Call

PROJECT = "0"
"""The enterprise project that everything is of: there are no others."""
EVERY_PROJECT = "all_granted_eps"


def narrowed(
    call: Call, items: Iterable[dict[str, Any]], names: Sequence[str], flags: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """What has, for each of these parameters that is given, one of the values given for it; in a list, any of them.

    ``flags`` are those that must be true or false. ``enterprise_project_id`` is understood where the call takes it.
    """
    wanted = {name: frozenset(call.query[name]) for name in (*names, *flags) if name in call.query}
    for name in flags:
        if not wanted.get(name, frozenset()) <= {"true", "false"}:
            raise invalid(name, "use true or false", ",".join(sorted(wanted[name])))
    if PROJECT not in (asked := call.query.get("enterprise_project_id", (PROJECT,))) and EVERY_PROJECT not in asked:
        return []
    return [it for it in items if all(values & _texts(it.get(name)) for name, values in wanted.items())]


def _texts(value: object) -> set[str]:
    if isinstance(value, list):
        return {text for each in value for text in _texts(each)}
    if isinstance(value, bool):
        return {str(value).lower()}
    return {"" if value is None else str(value)}


def check_project(said: str | None) -> None:
    """Refuse to make something in an enterprise project that there is not."""
    if said not in (None, "", PROJECT):
        what = "EnterpriseProjectId is invalid"
        raise InvalidFields((FieldProblem("enterprise_project_id", what, "use 0", "VPC.0011", said),))
