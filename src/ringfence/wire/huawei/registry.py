"""Every call that is served of Huawei's APIs."""

from __future__ import annotations

from ringfence.wire.huawei import projects
from ringfence.wire.huawei.operation import Operation
from ringfence.wire.huawei.v1.rooms import ROOMS as V1
from ringfence.wire.huawei.v2.rooms import ROOMS as V2
from ringfence.wire.huawei.v3.rooms import ROOMS as V3

_ROOMS = (projects, *V1, *V2, *V3)

OPERATIONS: tuple[Operation, ...] = tuple(operation for room in _ROOMS for operation in room.operations())

NOT_SERVED: dict[str, str] = {
    "v1 privateips": "an address is a port's; virtual IPs are made by the native API",
    "v1 and v2.0 routes, route tables, peerings, bandwidths and flow logs": "peerings are made by the native API",
    "v2.0 neutron networks, subnets and routers": "use VPCs and subnets of v1",
    "v2.0 tags of VPCs, subnets and ports": "tags are said when a VPC or subnet is made, or by the native API",
}
"""Operations that one would look for, and why they are not served."""
