"""The rooms of version 2.0."""

from __future__ import annotations

from ringfence.wire.huawei.v2 import firewall_groups, firewall_policies, firewall_rules, groups, ports, rules, tags

ROOMS = (groups, rules, tags, ports, firewall_rules, firewall_policies, firewall_groups)
