"""The rooms of version 1."""

from __future__ import annotations

from ringfence.wire.huawei.v1 import groups, ports, quotas, rules, subnets, vpcs

ROOMS = (groups, rules, ports, quotas, vpcs, subnets)
