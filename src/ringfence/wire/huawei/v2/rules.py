"""Security group rules, version 2.0 (apis/huawei.md 3.7)."""

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
from ringfence.wire.huawei.v1 import rules
from ringfence.wire.huawei.v1.rules import NEW_DOC, NEW_RULE, READ, REDUCED
from ringfence.wire.request import Told

_PATH = "/v2.0/security-group-rules"
_FILTERS = (
    "id",
    "direction",
    "protocol",
    "ethertype",
    "description",
    "remote_ip_prefix",
    "remote_group_id",
    "security_group_id",
    "port_range_max",
    "port_range_min",
    "tenant_id",
)


def operations() -> Iterator[Operation]:
    """The calls."""
    yield Operation(
        "neutron_create_security_group_rule",
        "POST",
        _PATH,
        NEW_DOC,
        actions_of(Verb.CREATE, Kind.RULE),
        partial(rules.create, tell=told),
        201,
        body=(Member("security_group_rule", (dict,), required=True, of=NEW_RULE),),
    )
    yield Operation(
        "neutron_list_security_group_rules",
        "GET",
        _PATH,
        f"List the rules. {REDUCED}",
        READ,
        _list,
        query=("limit", "marker", *_FILTERS),
    )
    one = f"{_PATH}/{{security_group_rule_id}}"
    yield Operation(
        "neutron_show_security_group_rule",
        "GET",
        one,
        f"Show a rule; of several items the first, and none is not found. {REDUCED}",
        READ,
        partial(rules.show, tell=told),
    )
    yield Operation(
        "neutron_delete_security_group_rule",
        "DELETE",
        one,
        "Delete a rule.",
        actions_of(Verb.DELETE, Kind.RULE),
        rules.delete,
        204,
    )


def _list(call: Call) -> Told:
    return linked_page(call, narrowed(call, rules.every(call, told), _FILTERS), "security_group_rules")


def told(resource: Resource) -> list[dict[str, Any]]:
    """A rule as version 2.0 tells it, as far as it can."""
    at = time_of(resource.created)
    more = {"project_id": resource.account, "created_at": at, "updated_at": at}
    return [each | more for each in rules.reduced(resource)]
