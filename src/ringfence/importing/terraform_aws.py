"""Resources of Terraform's provider for AWS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ringfence.importing.aws import allow, service
from ringfence.importing.drafted import InterfaceDraft
from ringfence.importing.reading import Read, Reading, fields
from ringfence.importing.report import Kind, Outcome
from ringfence.importing.services import address_of, prefix_of, protocol_of
from ringfence.importing.source import Item
from ringfence.model.acl import AclRule
from ringfence.model.address import AddressRange, Prefix
from ringfence.model.rule import Action, AddressGroupRemote, Direction, GroupRemote, Remote

_WAYS: Final = {"ingress": Direction.INGRESS, "egress": Direction.EGRESS}
_GROUP: Final = fields("id name description vpc_id ingress egress")
_GROUP_PASSED: Final = fields(
    "arn name_prefix owner_id revoke_rules_on_delete tags tags_all timeouts region default_for_az"
)
_BLOCK: Final = fields(
    "cidr_blocks ipv6_cidr_blocks prefix_list_ids security_groups self from_port to_port protocol description"
)
_RULE: Final = fields(
    "security_group_id type cidr_blocks ipv6_cidr_blocks prefix_list_ids source_security_group_id self from_port"
    " to_port protocol description"
)
_ONE: Final = fields(
    "security_group_id cidr_ipv4 cidr_ipv6 prefix_list_id referenced_security_group_id from_port to_port ip_protocol"
    " description"
)
_RULE_PASSED: Final = fields("id security_group_rule_id arn tags tags_all timeouts region")
_ENTRY: Final = fields("action cidr_block ipv6_cidr_block from_port to_port icmp_type icmp_code protocol rule_no")
_ACL_RULE: Final = fields(
    "network_acl_id rule_number rule_action egress cidr_block ipv6_cidr_block from_port to_port icmp_type icmp_code"
    " protocol"
)
_ACL: Final = fields("id vpc_id subnet_ids ingress egress tags")
_ACTIONS: Final = {"allow": Action.ALLOW, "deny": Action.DENY}


def read_group(reading: Reading, item: Item) -> None:
    """``aws_security_group``: as it was last refreshed, with rules that are resources of their own, or without."""
    reading.decisive(item, _GROUP, _GROUP_PASSED)
    id_ = item.need("id")
    group = reading.draft.group(item, id_)
    reading.draft.describe(item, group, item.text("name"), item.text("description"), item.text("vpc_id"))
    group.rules_known = True
    for name, way in _WAYS.items():
        for block in item.items(name):
            reading.decisive(block, _BLOCK)
            _read_block(reading, block, id_, way, "security_groups")


def read_rule(reading: Reading, item: Item) -> None:
    """``aws_security_group_rule``."""
    reading.decisive(item, _RULE, _RULE_PASSED)
    _read_block(reading, item, item.need("security_group_id"), item.one_of("type", _WAYS), "source_security_group_id")


def _read_block(reading: Reading, item: Item, group: str, way: Direction, groups: str) -> None:
    protocol = item.parsed(protocol_of, "protocol")
    item.need("protocol")
    remotes: list[tuple[Item, Remote]] = [
        (each, each.parsed(prefix_of)) for name in ("cidr_blocks", "ipv6_cidr_blocks") for each in item.items(name)
    ]
    remotes += [(each, AddressGroupRemote(each.text())) for each in item.items("prefix_list_ids")]
    named = item.items(groups) if groups == "security_groups" else [item.get(groups)]
    remotes += [(each, GroupRemote(_group_id(each.text()))) for each in named if each.text()]
    if item.flag("self", False):
        remotes.append((item, GroupRemote(group)))
    if not remotes:
        why = "it names neither a prefix nor a list nor a group, so it matches nothing"
        reading.draft.report.note(Outcome.LEFT_OUT, item, f"rule of {group}", why)
    for each, remote in remotes:
        allow(
            reading,
            each,
            group,
            way,
            protocol,
            service(item, protocol, "from_port", "to_port"),
            remote,
            item.text("description"),
        )


def _group_id(text: str) -> str:
    """Without the account before it."""
    return text.rpartition("/")[2]


def _rule_of(way: Direction) -> Read:
    """A reader of ``aws_vpc_security_group_ingress_rule`` or ``..._egress_rule``."""

    def read(reading: Reading, item: Item) -> None:
        reading.decisive(item, _ONE, _RULE_PASSED)
        item.need("ip_protocol")
        protocol = item.parsed(protocol_of, "ip_protocol")
        said = service(item, protocol, "from_port", "to_port")
        id_ = item.text("security_group_rule_id") or item.text("id")
        group, description = item.need("security_group_id"), item.text("description")
        allow(reading, item, group, way, protocol, said, _remote(item), description, id_)

    return read


def _remote(item: Item) -> Remote:
    match item.only("cidr_ipv4", "cidr_ipv6", "prefix_list_id", "referenced_security_group_id"):
        case "prefix_list_id":
            return AddressGroupRemote(item.text("prefix_list_id"))
        case ("cidr_ipv4" | "cidr_ipv6") as name:
            return item.parsed(prefix_of, name)
    return GroupRemote(_group_id(item.need("referenced_security_group_id")))


def read_prefix_list(reading: Reading, item: Item) -> None:
    """``aws_ec2_managed_prefix_list``."""
    entries: list[AddressRange] = [each.parsed(prefix_of, "cidr").range for each in item.items("entry")]
    reading.draft.address_group(item, item.need("id"), item.text("name"), entries)


# ---- places


def _label(item: Item) -> str:
    return item.part("tags").text("Name")


def read_vpc(reading: Reading, item: Item) -> None:
    """``aws_vpc``."""
    reading.draft.vpc(item, item.need("id"), _label(item), _prefixes(item))


def _prefixes(item: Item) -> list[Prefix]:
    return [item.parsed(prefix_of, name) for name in ("cidr_block", "ipv6_cidr_block") if item.text(name)]


def read_subnet(reading: Reading, item: Item) -> None:
    """``aws_subnet``."""
    reading.draft.subnet(item, item.need("id"), item.need("vpc_id"), _label(item), _prefixes(item))


def read_instance(reading: Reading, item: Item) -> None:
    """``aws_instance``: its primary interface."""
    id_, listed = item.need("id"), [*item.items("secondary_private_ips"), *item.items("ipv6_addresses")]
    own = [item.parsed(address_of, "private_ip")] if item.text("private_ip") else []
    own += [each.parsed(address_of) for each in listed]
    groups = item.texts("vpc_security_group_ids")
    new = InterfaceDraft(item, id_, _label(item), "", item.text("subnet_id"), own, groups)
    reading.draft.interface(item.text("primary_network_interface_id") or f"{id_}-eth0", new)
    if public := item.text("public_ip"):
        why, done = "a world knows machines by their private addresses", "rules that name it mean nobody here"
        reading.draft.report.note(Outcome.TOLD, item, f"public address {public} of {id_}", why, done)


def read_interface(reading: Reading, item: Item) -> None:
    """``aws_network_interface``: of the machine that it is attached to."""
    id_ = item.need("id")
    machines = [each.text("instance") for each in item.items("attachment") if each.text("instance")]
    if not machines:
        why = "its state tells no machine that has it, so no packet meets it"
        reading.draft.no_interface(item, f"interface {id_}", why)
        return
    own = [item.parsed(address_of, "private_ip")] if item.text("private_ip") else []
    own += [each.parsed(address_of) for name in ("private_ips", "ipv6_addresses") for each in item.items(name)]
    groups = item.texts("security_groups")
    new = InterfaceDraft(item, machines[0], "", "", item.text("subnet_id"), [*dict.fromkeys(own)], groups, 1)
    reading.draft.interface(id_, new)


# ---- network ACLs


def read_acl(reading: Reading, item: Item) -> None:
    """``aws_network_acl``."""
    reading.decisive(item, _ACL, fields("arn owner_id tags_all region default_network_acl_id"))
    id_ = item.need("id")
    acl = reading.draft.acl(item, id_)
    acl.label, acl.vpc = _label(item), item.text("vpc_id")
    for each in item.items("subnet_ids"):
        reading.draft.edges[each.text()] = (each, id_)
    for name, way in _WAYS.items():
        entries = [(each, each.number("rule_no") or 0) for each in item.items(name)]
        for each, number in sorted(entries, key=lambda pair: pair[1]):
            reading.decisive(each, _ENTRY)
            _read_entry(reading, each, id_, way, number)


def read_acl_rule(reading: Reading, item: Item) -> None:
    """``aws_network_acl_rule``: one line, at its place by its number."""
    reading.decisive(item, _ACL_RULE, fields("id region"))
    id_, number = item.need("network_acl_id"), item.number("rule_number")
    way = Direction.EGRESS if item.flag("egress", False) else Direction.INGRESS
    if id_ not in reading.draft.acls:
        reading.draft.report.count(Kind.LINES)
        reading.draft.report.gone(Kind.LINES, item, f"line {number} of {id_}", "the state does not tell of its ACL")
        return
    _read_entry(reading, item, id_, way, number or 0, "rule_action")
    reading.draft.acls[id_].lines.sort(key=_number)


def _number(placed: tuple[Item, AclRule]) -> int:
    return int(placed[1].name.rpartition(" ")[2])


def _read_entry(reading: Reading, item: Item, acl: str, way: Direction, number: int, action: str = "action") -> None:
    protocol = item.parsed(protocol_of, "protocol")
    is_icmp = protocol.number in (1, 58)
    first, last = ("icmp_type", "icmp_code") if is_icmp else ("from_port", "to_port")
    prefix = item.parsed(prefix_of, "cidr_block" if item.text("cidr_block") else "ipv6_cidr_block")
    side = {"source": prefix} if way is Direction.INGRESS else {"destination": prefix}
    what = {"direction": way, "action": item.one_of(action, _ACTIONS), "protocol": protocol, **side}
    id_ = f"{acl}-{way.word}-{number}-{prefix.family}"
    said = service(item, protocol, first, last)
    reading.draft.line(item, reading.draft.acls[acl], said, id_=id_, name=f"line {number}", **what)


def read_peering(reading: Reading, item: Item) -> None:
    """``aws_vpc_peering_connection``."""
    if (status := item.text("accept_status")) not in ("", "active"):
        reading.draft.report.note(Outcome.LEFT_OUT, item, f"peering {item.need('id')}", f"it is {status}")
        return
    reading.draft.peering(item, item.need("id"), item.need("vpc_id"), item.need("peer_vpc_id"))


TYPES: Final[Mapping[str, Read]] = {
    "aws_vpc": read_vpc,
    "aws_default_vpc": read_vpc,
    "aws_subnet": read_subnet,
    "aws_default_subnet": read_subnet,
    "aws_ec2_managed_prefix_list": read_prefix_list,
    "aws_security_group": read_group,
    "aws_default_security_group": read_group,
    "aws_security_group_rule": read_rule,
    "aws_vpc_security_group_ingress_rule": _rule_of(Direction.INGRESS),
    "aws_vpc_security_group_egress_rule": _rule_of(Direction.EGRESS),
    "aws_network_acl": read_acl,
    "aws_default_network_acl": read_acl,
    "aws_network_acl_rule": read_acl_rule,
    "aws_instance": read_instance,
    "aws_network_interface": read_interface,
    "aws_vpc_peering_connection": read_peering,
}
"""Readers by types, in the order in which they read."""
