"""Things as the files say them, before they are of a world; files that tell of one thing add to it."""

from __future__ import annotations

from dataclasses import dataclass, field

from ringfence.importing.source import Item
from ringfence.model.acl import AclRule
from ringfence.model.address import Address, AddressRange, Prefix
from ringfence.model.group import GroupType
from ringfence.model.profile import IntraGroup
from ringfence.model.rule import Rule


@dataclass
class VpcDraft:
    """A VPC; ``classic`` is the classic network of Alibaba."""

    item: Item
    label: str = ""
    cidrs: list[Prefix] = field(default_factory=list)
    classic: bool = False


@dataclass
class SubnetDraft:
    """A subnet."""

    item: Item
    vpc: str
    label: str = ""
    prefixes: list[Prefix] = field(default_factory=list)
    acl: str = ""


@dataclass
class GroupDraft:
    """A security group. ``rules_known``: whether a file told its rules, be it that there are none."""

    item: Item
    label: str = ""
    vpc: str = ""
    description: str = ""
    type: GroupType = GroupType.BASIC
    intra_group: IntraGroup = IntraGroup.DROP
    rules: list[tuple[Item, Rule]] = field(default_factory=list)
    rules_known: bool = False
    account: str = ""


@dataclass
class ListDraft:
    """An address group; ``max_entries`` where its cloud counts that."""

    item: Item
    label: str = ""
    entries: list[AddressRange] = field(default_factory=list)
    max_entries: int | None = None


@dataclass
class AclDraft:
    """A network ACL, its lines in their order."""

    item: Item
    label: str = ""
    vpc: str = ""
    description: str = ""
    enabled: bool = True
    lines: list[tuple[Item, AclRule]] = field(default_factory=list)


@dataclass
class InterfaceDraft:
    """A network interface and the machine that has it; ``order`` is its place among those of the machine."""

    item: Item
    machine: str
    label: str = ""
    vpc: str = ""
    subnet: str = ""
    addresses: list[Address] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    order: int = 0


@dataclass
class PeeringDraft:
    """A peering of two VPCs."""

    item: Item
    ends: tuple[str, str]
