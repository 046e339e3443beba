"""ClassicLink: the classic network has no links to VPCs here, so none is made, and none is found."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ringfence.control.draft import Draft
from ringfence.errors import Refused
from ringfence.ram import actions as ram
from ringfence.resources.kind import Kind
from ringfence.wire.alibaba.common import REGION
from ringfence.wire.alibaba.operation import Call, Field, Operation, Product
from ringfence.wire.alibaba.paging import BY_NUMBER, by_number
from ringfence.wire.request import Told


def operations() -> Iterator[Operation]:
    """The operations."""
    fields = (REGION, Field("InstanceId", required=True), Field("VpcId", required=True))
    doc = "Refused as UnsupportedOperation: the classic network has no links to VPCs here."
    for name, action in (
        ("AttachClassicLinkVpc", ram.ATTACH_CLASSIC_LINK_VPC),
        ("DetachClassicLinkVpc", ram.DETACH_CLASSIC_LINK_VPC),
    ):
        yield Operation(name, Product.ECS, doc, (action,), _refused(action), fields)
    doc, filters = "The links of the classic network to VPCs: none.", (Field("InstanceId"), Field("VpcId"), *BY_NUMBER)
    actions = (ram.DESCRIBE_CLASSIC_LINK_INSTANCES,)
    yield Operation("DescribeClassicLinkInstances", Product.ECS, doc, actions, _links, (REGION, *filters))


def _refused(action: ram.Action) -> Callable[[Call], Told]:
    """Refuse it to those who might do it, after what would be wrong with it anyway."""

    def handle(call: Call) -> Told:
        call.said.required("RegionId")
        instance, vpc = call.said.required("InstanceId"), call.said.required("VpcId")

        def work(draft: Draft) -> Told:
            draft.require(action, draft.own(Kind.INSTANCE, instance))
            draft.own(Kind.VPC, vpc)
            raise Refused("There is no ClassicLink here: the VPC has none enabled.", reason="UnsupportedOperation")

        return call.change(work)

    return handle


def _links(call: Call) -> Told:
    call.said.required("RegionId")
    call.control.authority.require_kind(call.caller, ram.DESCRIBE_CLASSIC_LINK_INSTANCES, Kind.INSTANCE)
    page, told = by_number(call.said, (), str, 100)
    return {"Links": {"Link": page}, **told}
