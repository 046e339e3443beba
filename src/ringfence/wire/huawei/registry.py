"""Every call that is served of Huawei's APIs."""

from __future__ import annotations

from ringfence.wire.huawei import projects
from ringfence.wire.huawei.operation import Operation

_ROOMS = (projects,)

OPERATIONS: tuple[Operation, ...] = tuple(operation for room in _ROOMS for operation in room.operations())
