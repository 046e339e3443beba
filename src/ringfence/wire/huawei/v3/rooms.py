"""The rooms of version 3."""

from __future__ import annotations

from ringfence.wire.huawei.v3 import (
    address_groups,
    firewall_tags,
    firewalls,
    groups,
    ports,
    quotas,
    rules,
    sub_interfaces,
    sub_moves,
    vpcs,
)

ROOMS = (groups, rules, ports, sub_interfaces, sub_moves, address_groups, firewalls, firewall_tags, vpcs, quotas)
