"""Values of resources that the model has no word for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from ringfence.model.acl import AclRule, NetworkAcl
from ringfence.model.address import AddressRange, Family
from ringfence.model.flow import Expectation
from ringfence.model.group import AddressGroup, SecurityGroup
from ringfence.model.port_list import PortList
from ringfence.model.profile import Profile
from ringfence.model.rule import Rule
from ringfence.model.service import Listener
from ringfence.model.topology import OutsideHost, Peering, Port, Subnet, VirtualIp, Vpc


@dataclass(frozen=True, slots=True)
class SharedVpc:
    """A VPC, and the accounts (by id) that may have subnets' ports and groups in it besides its owner."""

    vpc: Vpc
    shared_with: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleOf:
    """A rule, and the id of the group that has it."""

    group: str
    rule: Rule


@dataclass(frozen=True, slots=True)
class Listing:
    """An address group or a port list, and what no packet depends on: remarks, and the family that it is of for good.

    ``remarks`` are by the text of an entry that it lists. ``family`` is None of a port list, and of an address group
    that had no entry yet and was made without one. Make it with `listing`.
    """

    listed: AddressGroup | PortList
    remarks: Mapping[str, str]
    family: Family | None = None

    def remarked(self, remarks: Mapping[str, str]) -> Listing:
        """The same with these remarks, as far as they are about its entries."""
        there = set(map(str, self.listed.entries))
        return replace(self, remarks={entry: remark for entry, remark in remarks.items() if entry in there and remark})


def listing(
    listed: AddressGroup | PortList, remarks: Mapping[str, str] | None = None, family: Family | None = None
) -> Listing:
    """A list with remarks about its entries; the first entry of an address group without a family settles it."""
    found = {entry.family for entry in listed.entries if isinstance(entry, AddressRange)}
    settled = family or (next(iter(found)) if len(found) == 1 else None)
    return Listing(listed, {}, settled).remarked(remarks or {})


@dataclass(frozen=True, slots=True)
class PortAt:
    """A port, and which of its instance's ports it is: 0 is the primary one.

    Its ``parent`` is an id here, and a name in a world. ``label`` is what its users call it: it need not be unique.
    """

    index: int
    port: Port
    label: str = ""


class Power(StrEnum):
    """Whether a machine runs, as its users have said."""

    RUNNING = "running"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Machine:
    """What of an instance is not in its ports: what listens on it in the lab, and what its users note about it.

    Ringfence runs no machines: ``power`` is remembered and told, and no packet cares (`ringfence.control.machines`).
    """

    serve: tuple[Listener, ...] = ()
    hostname: str = ""
    power: Power = Power.RUNNING


@dataclass(frozen=True, slots=True)
class Penalized:
    """An instance, or one port (by its id), that the platform has cut off; the other of the two is empty."""

    instance: str
    port: str
    reason: str


@dataclass(frozen=True, slots=True)
class AclPolicy:
    """ACL lines (by id) in their order, and the ACLs (by id) whose rules of a direction they are."""

    rules: tuple[str, ...]
    ingress_of: tuple[str, ...] = ()
    egress_of: tuple[str, ...] = ()
    audited: bool = False
    """Whether somebody has looked at it, as its users say."""


@dataclass(frozen=True, slots=True)
class Account:
    """A tenant. ``operator`` accounts may act on others, set quotas, and see everybody's audit."""

    operator: bool = False


@dataclass(frozen=True, slots=True)
class User:
    """Somebody of an account, who may do what the policies (by id) say: nothing, if there are none."""

    policies: tuple[str, ...] = ()
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class AccessKey:
    """A key to sign requests with. ``user`` is empty for the account itself; ``sealed`` is the encrypted secret."""

    user: str
    sealed: str
    enabled: bool = True

    def __repr__(self) -> str:
        return f"AccessKey(user={self.user!r}, enabled={self.enabled})"


@dataclass(frozen=True, slots=True)
class PolicyText:
    """A RAM policy document as JSON text."""

    document: str


@dataclass(frozen=True, slots=True)
class Quota:
    """A limit that the operator has set for an account (``*``: for all of them) in place of the profile's."""

    target: str
    limits: Mapping[str, int]


Value = (
    SharedVpc
    | Subnet
    | SecurityGroup
    | RuleOf
    | Listing
    | NetworkAcl
    | AclRule
    | AclPolicy
    | Peering
    | Machine
    | PortAt
    | VirtualIp
    | Penalized
    | OutsideHost
    | Expectation
    | Profile
    | Account
    | User
    | AccessKey
    | PolicyText
    | Quota
)
"""What a resource is, besides who has it and what it is called."""
