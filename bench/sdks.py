"""What the clouds' APIs cost next to the native one: rule authorisations a second by each real SDK, end to end.

One client asks one call after the other, in a process of its own beside the server's, as a script does: what an SDK
spends on its models and signatures is a part of it. Slices of all clients take turns, and a ratio is taken between
slices of one turn.
"""

from __future__ import annotations

import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from alibabacloud_ecs20140526 import models as ecs
from aliyunsdkecs.request.v20140526.AuthorizeSecurityGroupRequest import AuthorizeSecurityGroupRequest
from huaweicloudsdkvpc import v3
from tests.service.servers import KEY, Servers
from tests.wire.sdks import REGION, Sdks

from bench.report import Figure
from ringfence.client.client import Client
from ringfence.control.authority import OPERATOR

_GROUPS = 31
Ask = Callable[[int], object]
"""Authorises the rule of a number, which is not there yet."""


@dataclass(frozen=True, slots=True)
class SdkCase:
    """How much to measure: calls in a slice, and turns."""

    calls: int
    rounds: int


def measure_sdks(case: SdkCase) -> list[Figure]:
    """Measure all of them on one server."""
    warnings.simplefilter("ignore")  # the SDKs use what Python and urllib3 deprecate
    with tempfile.TemporaryDirectory(prefix="ringfence-bench-") as directory, _server(Path(directory)) as client:
        asks = _asks(client, Sdks(client.url, KEY, OPERATOR))
        rates: dict[str, list[float]] = {name: [] for name in asks}
        number = 0
        for _ in range(case.rounds + 1):
            for name, ask in asks.items():
                began = time.perf_counter()
                for _ in range(case.calls):
                    number += 1
                    ask(number)
                rates[name].append(case.calls / (time.perf_counter() - began))
    return list(_figures({name: found[1:] for name, found in rates.items()}))  # the first turn warms up


def _figures(rates: Mapping[str, list[float]]) -> Iterator[Figure]:
    for name, found in rates.items():
        if name != "native":
            yield Figure.of(
                f"rule authorisations a second by {name}, over the native client",
                [one / other for one, other in zip(found, rates["native"], strict=True)],
                f"{median(found):.0f}/s / {median(rates['native']):.0f}/s",
            )


def _asks(client: Client, sdks: Sdks) -> dict[str, Ask]:
    client.post("/v1/vpcs", {"name": "ali", "cidrs": ["10.0.0.0/16"], "profile": "alibaba"})
    for number in range(_GROUPS):
        client.post("/v1/groups", {"name": _group("ali", number), "vpc": "ali"})
        client.post("/v1/groups", {"name": _group("native", number)})
        client.post("/v1/groups", {"name": _group("huawei", number)})
    return {
        "native": lambda number: client.post("/v1/rules", {"group": _group("native", number), "rule": _rule(number)}),
        "Alibaba's old SDK": _old(sdks),
        "Alibaba's new SDK": _new(sdks),
        "Huawei's SDK (v3)": _huawei(sdks),
    }


def _group(of: str, number: int) -> str:
    """One group after the other, as each has a limit."""
    return f"sg-{of}-{number % _GROUPS}"


def _rule(number: int) -> str:
    return f"in allow tcp {1 + number % 60_000} from {_prefix(number)}"


def _prefix(number: int) -> str:
    return f"100.{64 + number // 65_536 % 64}.{number // 256 % 256}.{number % 256}/32"


def _old(sdks: Sdks) -> Ask:
    client = sdks.old()

    def ask(number: int) -> object:
        request = AuthorizeSecurityGroupRequest()
        request.set_SecurityGroupId(_group("ali", number))
        request.set_IpProtocol("tcp")
        request.set_PortRange(f"{1 + number % 60_000}/{1 + number % 60_000}")
        request.set_SourceCidrIp(_prefix(number))
        return client.do_action_with_exception(request)

    return ask


def _new(sdks: Sdks) -> Ask:
    client = sdks.ecs()

    def ask(number: int) -> object:
        port = 1 + number % 60_000
        rule = ecs.AuthorizeSecurityGroupRequestPermissions(
            ip_protocol="tcp", port_range=f"{port}/{port}", source_cidr_ip=_prefix(number)
        )
        request = ecs.AuthorizeSecurityGroupRequest(
            region_id=REGION, security_group_id=_group("ali", number), permissions=[rule]
        )
        return client.authorize_security_group(request)

    return ask


def _huawei(sdks: Sdks) -> Ask:
    client = sdks.huawei()

    def ask(number: int) -> object:
        rule = v3.CreateSecurityGroupRuleOption(
            security_group_id=_group("huawei", number),
            direction="ingress",
            protocol="tcp",
            multiport=str(1 + number % 60_000),
            remote_ip_prefix=_prefix(number),
        )
        body = v3.CreateSecurityGroupRuleRequestBody(security_group_rule=rule)
        return client.create_security_group_rule(v3.CreateSecurityGroupRuleRequest(body=body))

    return ask


@contextmanager
def _server(directory: Path) -> Iterator[Client]:
    servers = Servers(directory / "log")
    try:
        running = servers.start(directory / "data")
        with running.client() as client:
            yield client
    finally:
        servers.close()
