"""Every call that is served of Huawei's APIs."""

from __future__ import annotations

from ringfence.wire.huawei import projects
from ringfence.wire.huawei.operation import Operation
from ringfence.wire.huawei.v1.rooms import ROOMS as V1
from ringfence.wire.huawei.v2.rooms import ROOMS as V2
from ringfence.wire.huawei.v3.rooms import ROOMS as V3

_ROOMS = (projects, *V1, *V2, *V3)

OPERATIONS: tuple[Operation, ...] = tuple(operation for room in _ROOMS for operation in room.operations())

NOT_SERVED: dict[str, str] = {}
"""Operations that one would look for, and why they are not served."""
