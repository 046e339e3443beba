"""A tenant of Alibaba's with a VPC and a vSwitch of both families, and short ways to ask each of the SDKs."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import pytest
from alibabacloud_ecs20140526 import models
from alibabacloud_tea_openapi.exceptions import ClientException
from aliyunsdkcore.acs_exception.exceptions import ServerException

from ringfence.client.client import Client
from ringfence.model.address import Family
from tests.wire.alibaba.models import checked, snake
from tests.wire.cloud import Cloud
from tests.wire.sdks import REGION, Sdks

LISTENS = ["tcp/80", "tcp/81", "tcp/8080", "udp/53"]
Told = dict[str, Any]


@dataclass(frozen=True)
class Shop:
    """A tenant; ``vpc`` and ``subnet`` are ids."""

    cloud: Cloud
    sdks: Sdks
    native: Client
    vpc: str
    subnet: str

    @cached_property
    def new(self) -> Any:
        return self.sdks.ecs()

    @cached_property
    def former(self) -> Any:
        return self.sdks.old()

    # --- asking

    def ask(self, operation: str, **said: Any) -> Told:
        """Ask the new SDK, in its own words; the region is said unless the request says it."""
        request = getattr(models, f"{operation}Request")
        told = getattr(self.new, snake(operation))(request(**{"region_id": REGION, **said}))
        assert told.status_code == 200
        assert told.body.request_id.isupper()
        found: Told = told.body.to_map()
        return found

    def old(self, operation: str, **said: Any) -> Told:
        """Ask the old SDK, in its words; its answer is looked at by the models of the new one."""
        return checked(operation, json.loads(self.raw(operation, "json", **said)))

    def raw(self, operation: str, form: str, **said: Any) -> bytes:
        """Ask the old SDK; the body of the answer."""
        module = importlib.import_module(f"aliyunsdkecs.request.v20140526.{operation}Request")
        request = getattr(module, f"{operation}Request")()
        request.set_accept_format(form)
        for name, value in said.items():
            getattr(request, f"set_{name}")(value)
        request.set_protocol_type("http")  # those of port range lists have https otherwise
        do = (
            self.former.do_action_with_exception if form == "json" else self.former.do_action
        )  # the former asks for JSON
        body: bytes = do(request)
        return body

    def refused(self, operation: str, **said: Any) -> tuple[int, str]:
        """Status and code of what the new SDK raises."""
        with pytest.raises(ClientException) as error:
            self.ask(operation, **said)
        return error.value.status_code, error.value.code

    def refused_old(self, operation: str, **said: Any) -> tuple[int, str]:
        """The same of the old one."""
        with pytest.raises(ServerException) as error:
            self.raw(operation, "json", **said)
        return error.value.get_http_status(), error.value.get_error_code()

    def denied(self, operation: str, **said: Any) -> tuple[str, str, str]:
        """What RAM's refusal tells to the new SDK: action, kind of user, and why."""
        with pytest.raises(ClientException) as error:
            self.ask(operation, **said)
        assert (error.value.status_code, error.value.code) == (403, "Forbidden.RAM")
        told = error.value.access_denied_detail
        return told["AuthAction"], told["AuthPrincipalType"], told["NoPermissionType"]

    # --- things

    def user(self, *statements: Mapping[str, Any]) -> Shop:
        """The same tenant, as a RAM user with a policy asks."""
        return replace(self, sdks=self.cloud.user(self.sdks, *statements))

    def group(self, name: str = "web", **said: Any) -> str:
        """A new group, by its id."""
        told = self.ask("CreateSecurityGroup", security_group_name=name, **{"vpc_id": self.vpc, **said})
        return str(told["SecurityGroupId"])

    def instance(self, *groups: str, subnet: str = "") -> str:
        """A new instance in some groups, by its id; in the default group, where it is none."""
        port = {"subnet": subnet or self.subnet} | ({"groups": list(groups)} if groups else {})
        told = self.native.post("/v1/instances", {"name": "ecs", "serve": LISTENS, "ports": [port]})
        return str(told["item"]["id"])

    def rules(self, group: str) -> list[Told]:
        """The rules of a group as the API tells them."""
        told = self.ask("DescribeSecurityGroupAttribute", security_group_id=group)
        found: list[Told] = told["Permissions"]["Permission"]
        return found

    def passes(self, *path: str, family: Family = Family.IPV4, service: str = "tcp/80") -> bool:
        """Whether a packet gets from one instance to another."""
        (found,) = self.verdicts((*path, service), family=family)
        return found

    def verdicts(self, *paths: tuple[str, ...], family: Family = Family.IPV4) -> list[bool]:
        """The same of several paths, probed at once: from, to, and the service where it is not tcp/80."""
        asked = [(source, to, *(more or ("tcp/80",))) for source, to, *more in paths]
        return self.cloud.passing(*((f"{source} -> {to} {service}", family) for source, to, service in asked))


@contextmanager
def shop_of(cloud: Cloud) -> Iterator[Shop]:
    """A fresh tenant in a cloud."""
    sdks = cloud.tenant()
    with Client(cloud.url, key=sdks.key) as native:
        cidrs = ["10.0.0.0/16", "fd00:10::/48"]
        vpc = native.post("/v1/vpcs", {"name": "shop", "profile": "alibaba", "cidrs": cidrs})["item"]["id"]
        said = {"name": "web", "vpc": vpc, "cidr": "10.0.1.0/24", "cidr6": "fd00:10:0:1::/64"}
        yield Shop(cloud, sdks, native, vpc, native.post("/v1/subnets", said)["item"]["id"])
