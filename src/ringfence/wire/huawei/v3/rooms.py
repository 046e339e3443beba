"""The rooms of version 3."""

from __future__ import annotations

from ringfence.wire.huawei.v3 import groups, rules

ROOMS = (groups, rules)
