"""What each cloud's own JSON lets pass, judged without the importers and without the model: slow, dumb and short.

Each judge is asked about one side of a flow: whether what a machine sends or takes passes its groups. What the import
says that it widens (types of ICMP, ports of protocols without ports) is widened here too. Rules of AWS and OpenStack
only allow; of Huawei Cloud and Alibaba Cloud the smallest number wins, and a denial before an allowance (SEMANTICS.md
2.1, 2.2, 13).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from tests.importing.shapes import Doc

NUMBERS = {"tcp": "6", "udp": "17", "icmp": "1", "icmpv6": "58", "ipv6-icmp": "58", "gre": "47"}


@dataclass(frozen=True)
class End:
    """One end of a flow: its address, and its groups if it is a machine."""

    address: str
    groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class Asked:
    """One side of a flow: who it is, whom it speaks with, the number of the protocol and the port asked for."""

    own: End
    far: End
    protocol: str
    port: int
    is_out: bool


Judge = Callable[[Asked], bool]


def number(protocol: Any) -> str:
    """A protocol as its number; nothing for all of them."""
    text = str(protocol if protocol is not None else "").lower()
    return "" if text in ("", "-1", "all", "any") else NUMBERS.get(text, text)


def inside(address: str, prefix: str) -> bool:
    """Whether a prefix holds an address; one of another family does not."""
    network, found = ipaddress.ip_network(prefix, strict=False), ipaddress.ip_address(address)
    return network.version == found.version and found in network


def _protocol(said: Any, asked: Asked) -> bool:
    return number(said) in ("", asked.protocol)


def _between(first: Any, last: Any, said: Any, asked: Asked) -> bool:
    """Whether the port is between two; without ports, or where all protocols are meant, every one is."""
    if number(said) == "" or asked.protocol not in ("6", "17") or first in (None, -1):
        return True
    return int(first) <= asked.port <= int(last)


def aws(groups: Iterable[Doc], lists: dict[str, list[str]]) -> Judge:
    """``SecurityGroups``, and the entries of prefix lists."""
    known = {each["GroupId"]: each for each in groups}

    def names(permission: Doc, far: End) -> bool:
        prefixes = [each["CidrIp"] for each in permission["IpRanges"]]
        prefixes += [each["CidrIpv6"] for each in permission["Ipv6Ranges"]]
        prefixes += [entry for each in permission["PrefixListIds"] for entry in lists.get(each["PrefixListId"], [])]
        pairs = {each["GroupId"] for each in permission["UserIdGroupPairs"]}
        return any(inside(far.address, prefix) for prefix in prefixes) or bool(pairs & {*far.groups})

    def judge(asked: Asked) -> bool:
        side = "IpPermissionsEgress" if asked.is_out else "IpPermissions"
        said = [permission for group in asked.own.groups for permission in known[group][side]]
        return any(
            _protocol(each["IpProtocol"], asked)
            and _between(each.get("FromPort"), each.get("ToPort"), each["IpProtocol"], asked)
            and names(each, asked.far)
            for each in said
        )

    return judge


def _neutron_match(rule: Doc, asked: Asked, lists: dict[str, list[str]]) -> bool:
    version = "IPv6" if ":" in asked.far.address else "IPv4"
    if rule["direction"] != ("egress" if asked.is_out else "ingress") or (rule.get("ethertype") or "IPv4") != version:
        return False
    if not _protocol(rule.get("protocol"), asked):
        return False
    if rule.get("remote_group_id"):
        return rule["remote_group_id"] in asked.far.groups
    if rule.get("remote_address_group_id"):
        return any(inside(asked.far.address, entry) for entry in lists.get(rule["remote_address_group_id"], []))
    return inside(asked.far.address, rule.get("remote_ip_prefix") or ("::/0" if version == "IPv6" else "0.0.0.0/0"))


def openstack(rules: Iterable[Doc]) -> Judge:
    """``security_group_rules``."""
    known = [*rules]

    def judge(asked: Asked) -> bool:
        return any(
            rule["security_group_id"] in asked.own.groups
            and _neutron_match(rule, asked, {})
            and _between(rule.get("port_range_min"), rule.get("port_range_max"), rule.get("protocol"), asked)
            for rule in known
        )

    return judge


def _multiport(rule: Doc, asked: Asked) -> bool:
    text = rule.get("multiport")
    if not text:
        return _between(rule.get("port_range_min"), rule.get("port_range_max"), rule.get("protocol"), asked)
    parts = [part.partition("-") for part in str(text).split(",")]
    return any(_between(first, last or first, rule.get("protocol"), asked) for first, _, last in parts)


def _first(found: list[tuple[int, bool]], otherwise: bool) -> bool:
    """What the strongest of some rules says, as priority and whether it denies."""
    return not min(found, key=lambda each: (each[0], not each[1]))[1] if found else otherwise


def huawei(rules: Iterable[Doc], lists: dict[str, list[str]]) -> Judge:
    """``security_group_rules`` of v3 or v1, and the entries of address groups."""
    known = [*rules]

    def judge(asked: Asked) -> bool:
        found = [
            (rule.get("priority") or 1, rule.get("action") == "deny")
            for rule in known
            if rule["security_group_id"] in asked.own.groups
            and rule.get("enabled") is not False
            and _neutron_match(rule, asked, lists)
            and _multiport(rule, asked)
        ]
        return _first(found, otherwise=False)

    return judge


def alibaba(attributes: Iterable[Doc], lists: dict[str, list[str]]) -> Judge:
    """Answers of DescribeSecurityGroupAttribute about basic groups."""
    known = {each["SecurityGroupId"]: each for each in attributes}

    def match(rule: Doc, asked: Asked) -> bool:
        far, near = ("Dest", "Source") if asked.is_out else ("Source", "Dest")
        if rule["Direction"] != ("egress" if asked.is_out else "ingress") or not _protocol(rule["IpProtocol"], asked):
            return False
        first, last = rule["PortRange"].split("/")
        if not _between(int(first), int(last), rule["IpProtocol"], asked):
            return False
        own = rule.get(f"{near}CidrIp")
        if own and not inside(asked.own.address, own):
            return False
        prefix = rule.get(f"{far}CidrIp") or rule.get(f"Ipv6{far}CidrIp")
        if prefix:
            return inside(asked.far.address, prefix)
        group, listed = rule.get(f"{far}GroupId"), rule.get(f"{far}PrefixListId", "")
        return (
            group in asked.far.groups if group else any(inside(asked.far.address, it) for it in lists.get(listed, []))
        )

    def judge(asked: Asked) -> bool:
        shared = {*asked.own.groups} & {*asked.far.groups}
        if any(known[group]["InnerAccessPolicy"] == "Accept" for group in shared):
            return True
        rules = [rule for group in asked.own.groups for rule in known[group]["Permissions"]["Permission"]]
        found = [(int(rule["Priority"]), rule["Policy"] == "Drop") for rule in rules if match(rule, asked)]
        return _first(found, otherwise=asked.is_out)

    return judge


def aws_acl(entries: Iterable[Doc]) -> Callable[[str, str, tuple[int, int], bool], bool]:
    """``Entries`` of a network ACL: whether a packet with a far address, a protocol and all of some ports passes.

    The lowest number decides. The last one, 32767, denies. Lines about a part of the ports are not for here.
    """
    known = sorted(entries, key=lambda each: int(each["RuleNumber"]))

    def judge(far: str, protocol: str, ports: tuple[int, int], is_out: bool) -> bool:
        for each in known:
            if each["Egress"] is not is_out or number(each["Protocol"]) not in ("", protocol):
                continue
            span = each.get("PortRange") if number(each["Protocol"]) else None
            is_meant = span is None or (span["From"] <= ports[0] and ports[1] <= span["To"])
            if is_meant and inside(far, each.get("CidrBlock") or each["Ipv6CidrBlock"]):
                return bool(each["RuleAction"] == "allow")
        return False

    return judge
