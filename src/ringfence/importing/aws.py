"""Security groups as ``aws ec2 describe-security-groups`` and ``describe-security-group-rules`` print them.

A rule allows, all rules of all groups count together, and each range, group or list of a permission is a rule by
itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ringfence.importing.reading import Read, Reading, fields
from ringfence.importing.report import Outcome
from ringfence.importing.services import Service, prefix_of, protocol_of, service_of
from ringfence.importing.source import Item
from ringfence.model.address import AddressRange
from ringfence.model.rule import Action, AddressGroupRemote, Direction, GroupRemote, Remote
from ringfence.model.service import Protocol

_GROUP: Final = fields("GroupId GroupName Description VpcId IpPermissions IpPermissionsEgress")
_GROUP_PASSED: Final = fields("OwnerId Tags SecurityGroupArn")
_PERMISSION: Final = fields("IpProtocol FromPort ToPort IpRanges Ipv6Ranges PrefixListIds UserIdGroupPairs")
_RULE: Final = fields(
    "GroupId IsEgress IpProtocol FromPort ToPort CidrIpv4 CidrIpv6 PrefixListId ReferencedGroupInfo Description"
)
_RULE_PASSED: Final = fields("SecurityGroupRuleId GroupOwnerId Tags SecurityGroupRuleArn")
_PAIR: Final = fields("GroupId Description PeeringStatus")
_PAIR_PASSED: Final = fields("UserId GroupName VpcId VpcPeeringConnectionId")
_WAYS: Final = {"IpPermissions": Direction.INGRESS, "IpPermissionsEgress": Direction.EGRESS}


def read_group(reading: Reading, item: Item) -> None:
    """One of ``SecurityGroups``."""
    reading.decisive(item, _GROUP, _GROUP_PASSED)
    id_ = item.need("GroupId")
    group = reading.draft.group(item, id_)
    reading.draft.describe(item, group, item.text("GroupName"), item.text("Description"), item.text("VpcId"))
    group.rules_known = group.rules_known or item.has("IpPermissions") or item.has("IpPermissionsEgress")
    for name, way in _WAYS.items():
        for permission in item.items(name):
            _read_permission(reading, permission, id_, way)


def service(item: Item, protocol: Protocol, first: str = "FromPort", last: str = "ToPort") -> Service:
    """Ports, or type and code of ICMP, of a permission; raises `BadImportFile`."""
    low, high = item.number(first), item.number(last)
    return item.get(first).parsed(lambda _: service_of(protocol, low, high))


def _read_permission(reading: Reading, item: Item, group: str, way: Direction) -> None:
    reading.decisive(item, _PERMISSION)
    protocol = item.parsed(protocol_of, "IpProtocol")
    item.need("IpProtocol")
    remotes = [*_ranges(reading, item), *_lists(reading, item), *_pairs(reading, item)]
    if not remotes:
        why = "it names neither a range nor a list nor a group, so it matches nothing"
        reading.draft.report.note(Outcome.LEFT_OUT, item, f"permission of {group}", why)
    for each, remote, description in remotes:
        allow(reading, each, group, way, protocol, service(item, protocol), remote, description)


def allow(
    reading: Reading,
    item: Item,
    group: str,
    way: Direction,
    protocol: Protocol,
    said: Service,
    remote: Remote,
    description: str,
    id_: str = "",
) -> None:
    """A rule was read."""
    what = {"direction": way, "action": Action.ALLOW, "protocol": protocol, "remote": remote}
    reading.draft.rule(item, group, said, id_=id_, description=description, **what)


def _ranges(reading: Reading, item: Item) -> list[tuple[Item, Remote, str]]:
    found: list[tuple[Item, Remote, str]] = []
    for listed, name in (("IpRanges", "CidrIp"), ("Ipv6Ranges", "CidrIpv6")):
        for each in item.items(listed):
            reading.decisive(each, fields(name, "Description"))
            found.append((each, each.parsed(prefix_of, name), each.text("Description")))
    return found


def _lists(reading: Reading, item: Item) -> list[tuple[Item, Remote, str]]:
    found: list[tuple[Item, Remote, str]] = []
    for each in item.items("PrefixListIds"):
        reading.decisive(each, fields("PrefixListId Description"))
        found.append((each, AddressGroupRemote(each.need("PrefixListId")), each.text("Description")))
    return found


def _pairs(reading: Reading, item: Item) -> list[tuple[Item, Remote, str]]:
    return [(each, _group(reading, each), each.text("Description")) for each in item.items("UserIdGroupPairs")]


def _group(reading: Reading, item: Item) -> GroupRemote:
    """A group that a rule names. The peering to its VPC may be gone: then nobody in it is met."""
    reading.decisive(item, _PAIR, _PAIR_PASSED)
    id_, state = item.need("GroupId"), item.text("PeeringStatus")
    if state not in ("", "active"):
        why = f"the peering to the VPC of {id_} is {state}"
        reading.draft.report.note(Outcome.TOLD, item, f"group {id_} in a rule", why, "the rule is there all the same")
    return GroupRemote(id_)


def read_rule(reading: Reading, item: Item) -> None:
    """One of ``SecurityGroupRules``."""
    reading.decisive(item, _RULE, _RULE_PASSED)
    item.need("IpProtocol")
    protocol = item.parsed(protocol_of, "IpProtocol")
    way = Direction.EGRESS if item.flag("IsEgress", False) else Direction.INGRESS
    remote = _remote(reading, item)
    id_, description = item.text("SecurityGroupRuleId"), item.text("Description")
    allow(reading, item, item.need("GroupId"), way, protocol, service(item, protocol), remote, description, id_)


def _remote(reading: Reading, item: Item) -> Remote:
    pair = item.part("ReferencedGroupInfo")
    name = item.only("CidrIpv4", "CidrIpv6", "PrefixListId")
    if name and pair.mapping():
        raise item.bad(f"it has both {name} and ReferencedGroupInfo", "one of them belongs here")
    if name:
        return AddressGroupRemote(item.text(name)) if name == "PrefixListId" else item.parsed(prefix_of, name)
    if not pair.mapping():
        raise item.bad("it names neither a range nor a list nor a group", "a rule is about one of them")
    return _group(reading, pair)


def read_prefix_list(reading: Reading, item: Item) -> None:
    """One of ``PrefixLists``: with entries as ``describe-prefix-lists`` tells them, else known by name only."""
    entries: list[AddressRange] = [each.parsed(prefix_of).range for each in item.items("Cidrs")]
    if entries:
        reading.draft.address_group(item, item.need("PrefixListId"), item.text("PrefixListName"), entries)
    else:
        why = "its entries are not in the file"
        reading.draft.report.note(Outcome.TOLD, item, f"prefix list {item.need('PrefixListId')}", why)


LISTS: Final[Mapping[str, Read]] = {
    "SecurityGroups": read_group,
    "SecurityGroupRules": read_rule,
    "PrefixLists": read_prefix_list,
}
"""What reads the things of a list, by the list's name."""
