"""Every call that is served of Huawei's APIs."""

from __future__ import annotations

from ringfence.wire.huawei import projects
from ringfence.wire.huawei.operation import Operation

_ROOMS = (projects,)

OPERATIONS: tuple[Operation, ...] = tuple(operation for room in _ROOMS for operation in room.operations())

NOT_SERVED: dict[str, str] = {}
"""Operations that one would look for, and why they are not served."""
