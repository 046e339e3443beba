"""Every operation that is served of Alibaba's APIs."""

from __future__ import annotations

from collections.abc import Mapping

from ringfence.wire.alibaba import (
    group_lists,
    groups,
    permission_lists,
    port_lists,
    prefix_lists,
    regions,
    rule_changes,
    rules,
)
from ringfence.wire.alibaba.operation import Operation, Product

_ROOMS = (regions, groups, group_lists, rules, rule_changes, permission_lists, prefix_lists, port_lists)

OPERATIONS: Mapping[tuple[str, Product], Operation] = {
    (operation.name, operation.product): operation for room in _ROOMS for operation in room.operations()
}

NOT_SERVED: dict[str, str] = {}
"""Operations that one would look for, and why they are not served."""
