"""Security groups as Alibaba's DescribeSecurityGroups and DescribeSecurityGroupAttribute tell them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from ringfence.errors import NotationError
from ringfence.importing.drafted import GroupDraft, VpcDraft
from ringfence.importing.reading import Reading, fields
from ringfence.importing.report import Kind, Outcome
from ringfence.importing.services import Service, prefix_of, protocol_of, service_of
from ringfence.importing.source import Item
from ringfence.model.address import Prefix
from ringfence.model.group import GroupType
from ringfence.model.port_list import NamedPorts
from ringfence.model.profile import IntraGroup
from ringfence.model.rule import Action, AddressGroupRemote, Direction, GroupRemote, NicType, Remote
from ringfence.model.service import PortSet, Protocol

CLASSIC: Final = "classic"
"""The VPC that stands for the classic network."""
_GROUP: Final = fields("SecurityGroupId SecurityGroupName Description VpcId SecurityGroupType")
_GROUP_PASSED: Final = fields(
    "CreationTime EcsCount AvailableInstanceAmount ResourceGroupId Tags ServiceManaged ServiceID RuleCount"
    " GroupToGroupRuleCount"
)
_ANSWER: Final = fields("SecurityGroupId SecurityGroupName Description VpcId InnerAccessPolicy Permissions")
_ANSWER_PASSED: Final = fields("RegionId RequestId NextToken SnapshotPolicyIds")
_SIDE: Final = ("{}CidrIp", "Ipv6{}CidrIp", "{}GroupId", "{}PrefixListId", "{}GroupOwnerAccount")
_NAMES: Final = fields("SourceGroupName DestGroupName SourcePrefixListName DestPrefixListName PortRangeListName")
_PERMISSION: Final = fields(
    "Direction Policy Priority IpProtocol PortRange SourcePortRange PortRangeListId NicType Description",
    *(form.format(side) for side in ("Source", "Dest") for form in _SIDE),
)
_PERMISSION_PASSED: Final = fields("CreateTime SecurityGroupRuleId") | _NAMES
_TYPES: Final = {"normal": GroupType.BASIC, "enterprise": GroupType.ADVANCED}
_INNER: Final = {"accept": IntraGroup.ACCEPT, "drop": IntraGroup.DROP}
_POLICIES: Final = {"accept": Action.ALLOW, "drop": Action.DENY}
_WAYS: Final = {"ingress": Direction.INGRESS, "egress": Direction.EGRESS}
_NICS: Final = {nic.value: nic for nic in NicType}
_RANGE: Final = re.compile(r"(-?\d{1,5})/(-?\d{1,5})", re.ASCII)
_WEAKEST: Final = 100


def read_group(reading: Reading, item: Item) -> None:
    """One of ``SecurityGroups``: all but its rules and whether its members reach each other."""
    reading.decisive(item, _GROUP, _GROUP_PASSED)
    group = _group(reading, item)
    group.type = item.one_of("SecurityGroupType", _TYPES, GroupType.BASIC)
    if group.type is GroupType.ADVANCED:
        group.intra_group = IntraGroup.DROP


def read_attribute(reading: Reading, item: Item) -> None:
    """An answer of DescribeSecurityGroupAttribute."""
    reading.decisive(item, _ANSWER, _ANSWER_PASSED)
    group = _group(reading, item)
    group.rules_known = True
    usual = IntraGroup.DROP if group.type is GroupType.ADVANCED else IntraGroup.ACCEPT
    group.intra_group = item.one_of("InnerAccessPolicy", _INNER, usual)
    _tell_pages(reading, item)
    for each in item.part("Permissions").items("Permission"):
        read_permission(reading, each, item.need("SecurityGroupId"), is_classic=group.vpc == CLASSIC)


def _tell_pages(reading: Reading, item: Item) -> None:
    if item.text("NextToken"):
        why, done = "the answer is one page of several", "the next page must be among the files"
        reading.draft.report.note(Outcome.TOLD, item.get("NextToken"), "further rules", why, done)


def _group(reading: Reading, item: Item) -> GroupDraft:
    id_ = item.need("SecurityGroupId")
    if known := reading.draft.groups.get(id_):  # each API tells a part of it
        return _described(reading, item, known)
    return _described(reading, item, reading.draft.group(item, id_), usual=IntraGroup.ACCEPT)


def _described(reading: Reading, item: Item, group: GroupDraft, usual: IntraGroup | None = None) -> GroupDraft:
    reading.draft.describe(item, group, item.text("SecurityGroupName"), item.text("Description"), item.text("VpcId"))
    group.vpc = group.vpc or classic(reading, item)
    group.intra_group = usual or group.intra_group
    return group


def classic(reading: Reading, item: Item) -> str:
    """The VPC that is the classic network; it is made where it is needed first."""
    if CLASSIC not in reading.draft.vpcs:
        why = "what names no VPC is in the classic network, and a world has that as a VPC"
        reading.draft.report.made(Kind.VPCS, item, f"VPC {CLASSIC}", why)
        reading.draft.vpcs[CLASSIC] = VpcDraft(item, classic=True)
    return CLASSIC


# ---- rules


def read_permission(reading: Reading, item: Item, group: str, *, is_classic: bool) -> None:
    """One rule. A port list of the vendor's is told, as no answer tells its entries."""
    reading.decisive(item, _PERMISSION, _PERMISSION_PASSED)
    way = item.one_of("Direction", _WAYS)
    far, near = ("Source", "Dest") if way is Direction.INGRESS else ("Dest", "Source")
    protocol = item.parsed(protocol_of, "IpProtocol")
    item.need("IpProtocol")
    source = _ports(item, "SourcePortRange", protocol)
    what: dict[str, Any] = {
        "direction": way,
        "action": item.one_of("Policy", _POLICIES, Action.ALLOW),
        "protocol": protocol,
        "remote": remote_of(reading, item, [form.format(far) for form in _SIDE]),
        "local": _near(reading, item, near),
        "priority": priority(reading, item, group, "Priority"),
        "source_ports": source.ports,
        "nic": item.one_of("NicType", _NICS, NicType.INTERNET) if is_classic else None,
        "description": item.text("Description"),
    }
    said = _ports(item, "PortRange", protocol).with_source(source)
    if item.text("PortRangeListId") and not item.text("PortRange"):
        what["ports"] = item.parsed(NamedPorts, "PortRangeListId")
    elif item.text("PortRangeListId"):
        _tell_others(reading, item, "PortRange", ["PortRangeListId"])
    reading.draft.rule(item, group, said, id_=item.text("SecurityGroupRuleId"), **what)


def priority(reading: Reading, item: Item, group: str, name: str) -> int:
    """From 1 to 100; the vendor's own rules of old days have 110, weaker than all."""
    number = item.number(name)
    if number is None:
        return 1
    if number < 1:
        raise item.get(name).bad(f"{number} is no priority", "a number from 1 to 100 belongs here")
    if number > _WEAKEST:
        why = f"a world has priorities to {_WEAKEST}, and this rule has {number}"
        done = f"it has {_WEAKEST}: a rule of {_WEAKEST} is no longer stronger than it"
        reading.draft.report.note(Outcome.CHANGED, item, f"rule of {group}", why, done)
    return min(number, _WEAKEST)


def remote_of(reading: Reading, item: Item, names: Sequence[str]) -> Remote:
    """Whom a rule is about: a prefix of either family, else a group, else a prefix list (SEMANTICS.md 1.2).

    ``names`` are those of the fields in this order, and of the group's account. What it names besides is told.
    """
    *sides, account = names
    group, listed = sides[2:]
    said = [name for name in sides if item.text(name)]
    if not said:
        right = f"{sides[0]} or another of them belongs here"
        raise item.bad("it names neither a prefix nor a group nor a list", right)
    _tell_others(reading, item, said[0], said[1:])
    if said[0] == group:
        return GroupRemote(item.text(group), account_of(item.text(account)))
    return AddressGroupRemote(item.text(listed)) if said[0] == listed else item.parsed(prefix_of, said[0])


def _tell_others(reading: Reading, item: Item, counts: str, others: Iterable[str]) -> None:
    for name in others:
        why = f"the rule has {counts} too, and that counts"
        reading.draft.report.note(Outcome.TOLD, item.get(name), f"{name} {item.text(name)}", why)


def _near(reading: Reading, item: Item, side: str) -> Prefix | None:
    """The prefix that the port's own address must be in; no rule has groups on its own side."""
    names = [form.format(side) for form in _SIDE]
    said = [name for name in names[:2] if item.text(name)]
    for name in (*said[1:], *(name for name in names[2:] if item.text(name))):
        why = "a rule has no such thing on its own side" if name not in said else f"the rule has {said[0]} too"
        reading.draft.report.note(Outcome.TOLD, item.get(name), f"{name} {item.text(name)}", why)
    return item.parsed(prefix_of, said[0]) if said else None


def account_of(text: str) -> str:
    """The name of an account as a world can write it."""
    return re.sub(r"[^\w.-]+", "-", text).strip("-.")[:128]


def _ports(item: Item, name: str, protocol: Protocol) -> Service:
    return item.parsed(lambda text: ports_of(text, protocol), name)


def ports_of(text: str, protocol: Protocol) -> Service:
    """Ports as ``first/last``, several with commas; none and -1/-1 are all. Raises `NotationError`."""
    if not protocol.has_ports:
        return Service(lost="" if text in ("", "-1/-1", "1/65535") else f"ports {text}")
    if not text:
        return Service()
    parts = text.split(",")
    matches = [_RANGE.fullmatch(part.strip()) for part in parts]
    found = [service_of(protocol, int(match[1]), int(match[2])) for match in matches if match]
    if len(found) < len(parts):
        raise NotationError(f"{text!r} are no ports", "first/last belongs here")
    if len(found) == 1 or any(not each.ports and not each.nothing for each in found):
        return next((each for each in found if not each.ports and not each.nothing), found[0])
    return Service(PortSet.parse(",".join(str(each.ports) for each in found if each.ports)))
