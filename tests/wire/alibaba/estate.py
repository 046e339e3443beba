"""What tests of Alibaba's APIs have in a tenant's account, and how they ask: through the SDKs, but for groups."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from alibabacloud_ecs20140526 import models as ecs
from alibabacloud_tea_openapi.exceptions import AlibabaCloudException
from aliyunsdkcore.acs_exception.exceptions import ServerException

from ringfence.client.client import Client
from tests.wire.alibaba.models import checked
from tests.wire.cloud import Cloud
from tests.wire.sdks import REGION, Sdks

ZONE = f"{REGION}-a"
OPEN = "in allow all from 0.0.0.0/0"


def old(sdks: Sdks, operation: str, **said: Any) -> Any:
    """What the old SDK's request of an operation is answered, looked at by the new one's models; names of setters."""
    module = importlib.import_module(f"aliyunsdkecs.request.v20140526.{operation}Request")
    request = getattr(module, f"{operation}Request")()
    request.set_accept_format("json")
    for name, value in said.items():
        getattr(request, f"set_{name}")(value)
    return checked(operation, json.loads(sdks.old().do_action_with_exception(request)))


def refusal(ask: Callable[..., object], *args: Any, **said: Any) -> tuple[int, str]:
    """Status and code of what must be refused, by whichever SDK."""
    try:
        told = ask(*args, **said)
    except ServerException as error:
        return error.get_http_status(), error.get_error_code()
    except AlibabaCloudException as error:
        return int(error.status_code), str(error.code)
    raise AssertionError(f"it was not refused: {told}")


@dataclass(frozen=True)
class Estate:
    """A tenant with a VPC and a vSwitch of the profile alibaba."""

    cloud: Cloud
    sdks: Sdks
    vpc: str
    subnet: str

    @classmethod
    def of(cls, cloud: Cloud, sdks: Sdks | None = None) -> Estate:
        """A new one, made by the new SDK."""
        own = sdks or cloud.tenant()
        ask = own.ecs()
        vpc = ask.create_vpc(ecs.CreateVpcRequest(region_id=REGION, cidr_block="10.0.0.0/8")).body.vpc_id
        request = ecs.CreateVSwitchRequest(region_id=REGION, vpc_id=vpc, cidr_block="10.1.0.0/24", zone_id=ZONE)
        return cls(cloud, own, vpc, ask.create_vswitch(request).body.v_switch_id)

    @cached_property
    def ecs(self) -> Any:
        """The new SDK."""
        return self.sdks.ecs()

    def native(self) -> Client:
        """The native API, of the same key."""
        return Client(self.cloud.url, key=self.sdks.key)

    def operator(self) -> Client:
        """The native API, of the operator who acts on the account."""
        assert self.cloud.runtime.root_key
        return Client(self.cloud.url, key=self.cloud.runtime.root_key, account=self.sdks.account)

    def make(self, path: str, **said: Any) -> str:
        """Make something by the native API; gives its id."""
        with self.native() as client:
            return str(client.post(f"/v1/{path}", said)["item"]["id"])

    def group(self, *rules: str, kind: str = "basic", vpc: str = "", intra: str = "drop") -> str:
        """A security group with rules."""
        more = {"intra_group": intra} if kind == "basic" else {}
        made = self.make("groups", name="sg", vpc=vpc or self.vpc, type=kind, **more)
        for rule in rules:
            self.make("rules", group=made, rule=rule)
        return made

    def instance(self, *groups: str, subnet: str = "") -> str:
        """A running instance in some groups."""
        request = ecs.RunInstancesRequest(
            region_id=REGION, v_switch_id=subnet or self.subnet, security_group_ids=list(groups) or None
        )
        (made,) = self.ecs.run_instances(request).body.instance_id_sets.instance_id_set
        return str(made)

    def interface_of(self, instance: str) -> Any:
        """The primary network interface of an instance, as the SDK's model has it."""
        request = ecs.DescribeNetworkInterfacesRequest(region_id=REGION, instance_id=instance, type="Primary")
        (found,) = self.ecs.describe_network_interfaces(request).body.network_interface_sets.network_interface_set
        return found

    def groups_of(self, instance: str) -> list[str]:
        """The groups that an instance is told to be in."""
        request = ecs.DescribeInstanceAttributeRequest(instance_id=instance)
        return list(self.ecs.describe_instance_attribute(request).body.security_group_ids.security_group_id)
