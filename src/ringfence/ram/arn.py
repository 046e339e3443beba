"""Names of resources in policies: ARNs of Alibaba Cloud, and the form that Huawei Cloud's IAM uses.

::

    acs:ecs:cn-hangzhou:tenant-1:securitygroup/sg-web      acs:<service>:<region>:<account>:<type>/<id>
    vpc:cn-hangzhou:tenant-1:securityGroup:sg-web          <service>:<region>:<account>:<type>:<id>

One `Arn` is both. In a pattern a wildcard stays inside its field; only in the last one may it cross anything.
Sources: SEMANTICS.md 9.1 and 9.2.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ringfence.errors import NotationError
from ringfence.ram.wildcard import ANY, NO_COLON, expression

_ACS = "write acs:<service>:<region>:<account>:<type>/<id>, or * for every resource"
_HUAWEI = "write <service>:<region>:<account>:<type>:<path>, or * for every resource"


@dataclass(frozen=True, slots=True)
class ResourceType:
    """A type of resource as both clouds name it; ``service`` and ``name`` are Alibaba's."""

    service: str
    name: str
    huawei_service: str
    huawei_name: str


SECURITY_GROUP = ResourceType("ecs", "securitygroup", "vpc", "securityGroup")
INSTANCE = ResourceType("ecs", "instance", "ecs", "instance")
PORT = ResourceType("ecs", "eni", "vpc", "port")
ADDRESS_GROUP = ResourceType("ecs", "prefixlist", "vpc", "addressGroup")
PORT_LIST = ResourceType("ecs", "portrangelist", "ringfence", "portList")
VPC = ResourceType("vpc", "vpc", "vpc", "vpc")
SUBNET = ResourceType("vpc", "vswitch", "vpc", "subnet")
ACL = ResourceType("vpc", "networkacl", "vpc", "firewall")
ACL_LINE = ResourceType("vpc", "aclline", "vpc", "firewallRule")
ACL_POLICY = ResourceType("vpc", "aclpolicy", "vpc", "firewallPolicy")
PEERING = ResourceType("vpc", "vpcpeer", "vpc", "peering")
VIRTUAL_IP = ResourceType("vpc", "havip", "vpc", "privateIp")
USER = ResourceType("ram", "user", "iam", "user")
POLICY = ResourceType("ram", "policy", "iam", "policy")
ACCOUNT = ResourceType("ringfence", "account", "ringfence", "account")
QUOTA = ResourceType("ringfence", "quota", "ringfence", "quota")
FIREWALL_POLICY = ResourceType("ringfence", "firewallpolicy", "ringfence", "firewallPolicy")
PENALTY = ResourceType("ringfence", "penalty", "ringfence", "penalty")
OUTSIDE_HOST = ResourceType("ringfence", "outsidehost", "ringfence", "outsideHost")
EXPECTATION = ResourceType("ringfence", "expectation", "ringfence", "expectation")
SETTINGS = ResourceType("ringfence", "settings", "ringfence", "settings")
AUDIT = ResourceType("ringfence", "audit", "ringfence", "audit")
REVISION = ResourceType("ringfence", "revision", "ringfence", "revision")
AGENT = ResourceType("ringfence", "agent", "ringfence", "agent")
METRICS = ResourceType("ringfence", "metrics", "ringfence", "metrics")

TYPES: tuple[ResourceType, ...] = tuple(value for value in list(globals().values()) if isinstance(value, ResourceType))
"""Every type of resource that a policy can name."""
_BY_NAME = {(known.service, known.name): known for known in TYPES}
_BY_HUAWEI_NAME = {(known.huawei_service, known.huawei_name): known for known in TYPES}


@dataclass(frozen=True, slots=True)
class Arn:
    """One resource. The id ``*`` is for an operation on all of a type, or on what is only being made."""

    type: ResourceType
    region: str
    account: str
    id: str = "*"
    acs: str = field(init=False, compare=False, repr=False)
    huawei: str = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        if ":" in self.region or ":" in self.account or not self.id:
            raise NotationError(
                f"a resource of {self.account!r} in {self.region!r} with the id {self.id!r} has no name in policies",
                "use a region and an account without colons, and an id",
            )
        kind = self.type
        place = f"{self.region}:{self.account}"
        object.__setattr__(self, "acs", f"acs:{kind.service}:{place}:{kind.name}/{self.id}")
        object.__setattr__(self, "huawei", f"{kind.huawei_service}:{place}:{kind.huawei_name}:{self.id}")

    @classmethod
    def parse(cls, text: str) -> Arn:
        """Read either form; raises `NotationError`."""
        if text.startswith("acs:"):
            _, service, region, account, relative = _fields(text, _ACS)
            name, _, identity = relative.partition("/")
            return cls(_known(_BY_NAME.get((service, name)), text), region, account, identity)
        service, region, account, name, identity = _fields(text, _HUAWEI)
        return cls(_known(_BY_HUAWEI_NAME.get((service, name)), text), region, account, identity)

    def __str__(self) -> str:
        return self.acs


def _fields(text: str, right: str) -> list[str]:
    fields = text.split(":", 4)
    if len(fields) != 5 or not fields[4]:
        raise NotationError(f"{text!r} is not a resource", right)
    return fields


def _known(found: ResourceType | None, text: str) -> ResourceType:
    if found is None:
        names = ", ".join(f"{known.service}:{known.name}" for known in TYPES)
        raise NotationError(f"{text!r} is of no known type", f"the types are {names}")
    return found


def acs_expression(pattern: str) -> str:
    """The expression of a pattern in Alibaba's form; raises `NotationError`.

    An empty region is any region: names of RAM's own resources have none.
    """
    if pattern == "*":
        return expression("*")
    cloud, service, region, account, relative = _fields(pattern, _ACS)
    if cloud != "acs" or not service or not account:
        raise NotationError(f"{pattern!r} is not a resource", _ACS)
    return _joined(("acs", service, region or "*", account), relative)


def huawei_expression(pattern: str) -> str:
    """The expression of a pattern in Huawei's form; raises `NotationError`."""
    if pattern == "*":
        return expression("*")
    *fields, path = _fields(pattern, _HUAWEI)
    if fields[0] == "acs" or not all(fields):
        raise NotationError(f"{pattern!r} is not a resource of a policy of Version 1.1", _HUAWEI)
    return _joined(fields, path)


def _joined(fields: tuple[str, ...] | list[str], last: str) -> str:
    return ":".join([*(expression(part, NO_COLON) for part in fields), expression(last, ANY)])
