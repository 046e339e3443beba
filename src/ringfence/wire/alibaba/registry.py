"""Every operation that is served of Alibaba's APIs."""

from __future__ import annotations

from collections.abc import Mapping

from ringfence.wire.alibaba import (
    acls,
    attributes,
    classic_links,
    group_lists,
    groups,
    instance_lists,
    instances,
    interface_addresses,
    interface_lists,
    interfaces,
    launching,
    membership,
    permission_lists,
    port_lists,
    prefix_lists,
    regions,
    rule_changes,
    rules,
    tags,
    vpcs,
    vswitches,
)
from ringfence.wire.alibaba.operation import Operation, Product

_ROOMS = (
    *(regions, vpcs, vswitches, membership, tags, attributes, classic_links),
    *(groups, group_lists, rules, rule_changes, permission_lists, prefix_lists, port_lists),
    *(interfaces, interface_addresses, interface_lists, instances, instance_lists, launching, acls),
)

OPERATIONS: Mapping[tuple[str, Product], Operation] = {
    (operation.name, operation.product): operation for room in _ROOMS for operation in room.operations()
}

NOT_SERVED: dict[str, str] = {
    **dict.fromkeys(("CreateLaunchTemplate", "CreateLaunchTemplateVersion"), "there are no launch templates"),
    "CreateAutoProvisioningGroup": "there are no provisioning groups: make instances with RunInstances",
    "DescribeInstanceStatus": "DescribeInstances tells the status as well",
}
"""Operations that one would look for, and why they are not served."""
