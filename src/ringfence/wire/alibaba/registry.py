"""Every operation that is served of Alibaba's APIs."""

from __future__ import annotations

from collections.abc import Mapping

from ringfence.wire.alibaba import regions
from ringfence.wire.alibaba.operation import Operation, Product

_ROOMS = (regions,)

OPERATIONS: Mapping[tuple[str, Product], Operation] = {
    (operation.name, operation.product): operation for room in _ROOMS for operation in room.operations()
}

NOT_SERVED: dict[str, str] = {}
"""Operations that one would look for, and why they are not served."""
