"""The rooms of version 2.0."""

from __future__ import annotations

from ringfence.wire.huawei.v2 import groups, rules, tags

ROOMS = (groups, rules, tags)
