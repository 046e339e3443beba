"""Random configurations mean in the world what the cloud's own JSON says (raw.py), flow by flow."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringfence.importing import FileKind, Imported
from tests.importing import raw, shapes
from tests.importing.raw import Asked, End, Judge
from tests.importing.reading import imported, passes
from tests.importing.shapes import Doc, Files

GROUPS = ["sg-a", "sg-b", "sg-c"]
ADDRESSES = ["10.0.1.11", "10.0.1.12", "10.0.1.13"]
OUTSIDE = ["192.0.2.9", "198.51.100.1"]
PREFIXES = ["0.0.0.0/0", "10.0.0.0/16", "10.0.1.11/32", "10.0.1.12/31", "10.0.1.14/30", "192.0.2.0/24", "::/0"]
LISTED = {"pl-1": ["192.0.2.0/28", "10.0.1.13/32"]}
SERVICES = [("tcp", 80), ("tcp", 443), ("tcp", 8080), ("udp", 80), ("udp", 443), ("icmp", 0)]
PORTS = [(80, 80), (1, 65535), (0, 443), (443, 443), (81, 8080), (8080, 65535)]
QUIET = settings(max_examples=20, deadline=None, suppress_health_check=[*HealthCheck])

members = st.lists(st.sampled_from(GROUPS), min_size=1, max_size=2, unique=True)
places = st.tuples(members, members, members)
protocols = st.sampled_from(["tcp", "udp", "icmp", "all"])


def flows(placed: tuple[list[str], ...]) -> Iterator[tuple[str, End, str, End]]:
    """Every pair of machines and addresses outside, by the names that a question knows them by."""
    machines = [(f"vm{n}", End(ADDRESSES[n], tuple(groups))) for n, groups in enumerate(placed)]
    both = [*machines, *((address, End(address)) for address in OUTSIDE)]
    for one, two in itertools.permutations(both, 2):
        if one in machines or two in machines:
            yield (*one, *two)


def agree(made: Imported, judge: Judge, placed: tuple[list[str], ...]) -> None:
    """Both sides of each flow pass in the JSON, or the world denies it."""
    for source, one, destination, two in flows(placed):
        for protocol, port in SERVICES:
            query = f"{source} -> {destination} {protocol}" + (f"/{port}" if protocol != "icmp" else "")
            sides = [(one, two, True), (two, one, False)]
            asked = [Asked(own, far, raw.NUMBERS[protocol], port, out) for own, far, out in sides if own.groups]
            assert passes(made, query) is all(map(judge, asked)), query


# ---- AWS

ranges = st.lists(st.sampled_from(PREFIXES), max_size=2, unique=True)


@st.composite
def permissions(draw: st.DrawFn) -> Doc:
    protocol = draw(st.sampled_from(["tcp", "udp", "icmp", "-1", "6", "17"]))
    cidrs = draw(ranges)
    listed = draw(st.sampled_from([[], [], [{"PrefixListId": "pl-1"}]]))
    pairs = [{"GroupId": id_} for id_ in draw(st.lists(st.sampled_from(GROUPS), max_size=1))]
    four, six = [[each for each in cidrs if (":" in each) is wanted] for wanted in (False, True)]
    first, last = (-1, -1) if protocol in ("icmp", "-1") else draw(st.sampled_from(PORTS))
    said = {"IpRanges": [{"CidrIp": each} for each in four], "Ipv6Ranges": [{"CidrIpv6": each} for each in six]}
    return {"IpProtocol": protocol, "FromPort": first, "ToPort": last, **said} | {
        "PrefixListIds": listed,
        "UserIdGroupPairs": pairs,
    }


sides = st.lists(permissions(), max_size=3)


@QUIET
@given(places, st.lists(st.tuples(sides, sides), min_size=3, max_size=3))
def test_aws(placed: tuple[list[str], ...], said: list[tuple[list[Doc], list[Doc]]]) -> None:
    groups = [shapes.aws_group(id_, id_, *each) for id_, each in zip(GROUPS, said, strict=True)]
    machines = [
        {"InstanceId": f"i-{n}", "VpcId": "vpc-0a", "SubnetId": "subnet-0a", "PrivateIpAddress": ADDRESSES[n]}
        | {"Tags": [{"Key": "Name", "Value": f"vm{n}"}], "SecurityGroups": [{"GroupId": id_} for id_ in own]}
        for n, own in enumerate(placed)
    ]
    lists = [{"PrefixListId": id_, "PrefixListName": id_, "Cidrs": entries} for id_, entries in LISTED.items()]
    files: Files = {"g.json": {"SecurityGroups": groups}, "i.json": {"Reservations": [{"Instances": machines}]}}
    agree(imported({**files, "l.json": {"PrefixLists": lists}}), raw.aws(groups, LISTED), placed)


ANSWERS = (32_768, 60_999)
"""The ports that answers go to."""
spans = st.sampled_from([(80, 80), (1, 65535), (1024, 65535), (0, 443)])


@st.composite
def entries(draw: st.DrawFn) -> Doc:
    protocol = draw(st.sampled_from(["6", "17", "-1"]))
    first, last = draw(spans)
    said = {"RuleAction": draw(st.sampled_from(["allow", "allow", "deny"])), "Egress": draw(st.booleans())}
    said |= {"Protocol": protocol, "CidrBlock": draw(st.sampled_from(PREFIXES[:-1]))}
    return said if protocol == "-1" else {**said, "PortRange": {"From": first, "To": last}}


@QUIET
@given(st.lists(st.lists(entries(), max_size=8), min_size=2, max_size=2), st.randoms(use_true_random=False))
def test_aws_network_acls(said: list[list[Doc]], random: Random) -> None:
    """Between two subnets, each with an ACL, and with the internet; the answer must pass both too."""
    lines = [[{**each, "RuleNumber": n} for n, each in enumerate(own, 1)] for own in said]
    for own in lines:
        random.shuffle(own)
    acls = [
        {"NetworkAclId": f"acl-{n}", "VpcId": "vpc-0a", "Associations": [{"SubnetId": f"s-{n}"}], "Entries": own}
        for n, own in enumerate(lines)
    ]
    subnets = [{"SubnetId": f"s-{n}", "VpcId": "vpc-0a", "CidrBlock": f"10.0.{n}.0/24"} for n in range(2)]
    everything = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    machines = [
        {"InstanceId": f"vm{n}", "VpcId": "vpc-0a", "SubnetId": f"s-{n}", "PrivateIpAddress": f"10.0.{n}.11"}
        | {"SecurityGroups": [{"GroupId": "sg-a"}]}
        for n in range(2)
    ]
    files: Files = {"s.json": {"Subnets": subnets}, "i.json": {"Reservations": [{"Instances": machines}]}}
    group = shapes.aws_group("sg-a", "a", everything, everything)
    made = imported({**files, "a.json": {"NetworkAcls": acls}, "g.json": {"SecurityGroups": [group]}})
    judges = {f"10.0.{n}.11": raw.aws_acl(own) for n, own in enumerate(lines)}
    names = {"10.0.0.11": "vm0", "10.0.1.11": "vm1", "192.0.2.9": "192.0.2.9"}
    for one, two in itertools.permutations(names, 2):
        for protocol, port in (("tcp", 80), ("tcp", 8080), ("udp", 443)):
            there = [(one, two, True), (two, one, False)]
            asked = [(own, far, (port, port), out) for own, far, out in there]
            asked += [(own, far, ANSWERS, not out) for own, far, out in there]
            wanted = all(
                judges[own](far, raw.NUMBERS[protocol], ports, out) for own, far, ports, out in asked if own in judges
            )
            assert passes(made, f"{names[one]} -> {names[two]} {protocol}/{port}") is wanted


# ---- Huawei Cloud and OpenStack


def neutron_remote(draw: st.DrawFn, kinds: list[str]) -> Doc:
    """Whom a rule is about, and its family."""
    kind = draw(st.sampled_from(kinds))
    if kind == "prefix":
        prefix = draw(st.sampled_from(PREFIXES))
        return {"remote_ip_prefix": prefix, "ethertype": "IPv6" if ":" in prefix else "IPv4"}
    if kind == "group":
        return {"remote_group_id": draw(st.sampled_from(GROUPS))}
    return {"remote_address_group_id": "pl-1"} if kind == "list" else {}


@st.composite
def huawei_rules(draw: st.DrawFn) -> Doc:
    protocol = draw(st.sampled_from(["tcp", "udp", "icmp", None]))
    ports: Any = (
        draw(st.sampled_from(["80", "443,8080", "81-443,8080", None, 80])) if protocol in ("tcp", "udp") else None
    )
    said = {"protocol": protocol, "multiport": ports, "direction": draw(st.sampled_from(["ingress", "egress"]))}
    said |= {
        "action": draw(st.sampled_from(["allow", "allow", "deny"])),
        "priority": draw(st.sampled_from([1, 1, 2, 100])),
    }
    said |= {"enabled": draw(st.sampled_from([True, True, False]))}
    said |= neutron_remote(draw, ["prefix", "group", "list", ""])
    return shapes.huawei_rule("", draw(st.sampled_from(GROUPS)), **said)


def neutron_ports(placed: tuple[list[str], ...], **more: Any) -> list[Doc]:
    return [
        {"id": f"p{n}", "device_id": f"vm{n}", "device_owner": "compute:az1", "network_id": "net-a"}
        | {"fixed_ips": [{"subnet_id": "s-a", "ip_address": ADDRESSES[n]}], "security_groups": own, **more}
        for n, own in enumerate(placed)
    ]


@QUIET
@given(places, st.lists(huawei_rules(), max_size=12))
def test_huawei(placed: tuple[list[str], ...], rules: list[Doc]) -> None:
    files: Files = {
        "r.json": {"security_group_rules": rules},
        "g.json": {"security_groups": [{"id": id_, "name": id_} for id_ in GROUPS]},
        "l.json": {"address_groups": [{"id": "pl-1", "name": "l", "ip_set": LISTED["pl-1"]}]},
        "p.json": {"ports": neutron_ports(placed)},
        "s.json": {"subnets": [{"id": "net-a", "name": "a", "cidr": "10.0.1.0/24", "vpc_id": "vpc-1"}]},
    }
    agree(imported(files, FileKind.HUAWEI), raw.huawei(rules, LISTED), placed)


@st.composite
def openstack_rules(draw: st.DrawFn) -> Doc:
    protocol = draw(st.sampled_from(["tcp", "udp", "icmp", None, "6", 17, "any"]))
    has_ports = raw.number(protocol) in ("6", "17")
    first, last = draw(st.sampled_from([(None, None), *PORTS[1:]])) if has_ports else (None, None)
    said = {"protocol": protocol, "port_range_min": first, "port_range_max": last}
    said |= {"direction": draw(st.sampled_from(["ingress", "egress"])), **neutron_remote(draw, ["prefix", "group", ""])}
    return shapes.openstack_rule("", draw(st.sampled_from(GROUPS)), **said)


@QUIET
@given(places, st.lists(openstack_rules(), max_size=12))
def test_openstack(placed: tuple[list[str], ...], rules: list[Doc]) -> None:
    groups = [
        {"id": id_, "name": id_, "security_group_rules": [each for each in rules if each["security_group_id"] == id_]}
        for id_ in GROUPS
    ]
    subnet = {"id": "s-a", "name": "a", "cidr": "10.0.1.0/24", "network_id": "net-a"}
    files: Files = {
        "g.json": {"security_groups": groups},
        "p.json": {"ports": neutron_ports(placed, port_security_enabled=True)},
        "s.json": {"subnets": [subnet]},
    }
    agree(imported(files, FileKind.OPENSTACK), raw.openstack(rules), placed)


# ---- Alibaba Cloud


@st.composite
def alibaba_rules(draw: st.DrawFn) -> Doc:
    protocol = draw(st.sampled_from(["TCP", "UDP", "ICMP", "ALL"]))
    first, last = draw(st.sampled_from(PORTS)) if protocol in ("TCP", "UDP") else (-1, -1)
    direction = draw(st.sampled_from(["ingress", "egress"]))
    far, near = ("Source", "Dest") if direction == "ingress" else ("Dest", "Source")
    kind = draw(st.sampled_from(["CidrIp", "CidrIp", "GroupId", "PrefixListId"]))
    values = {"CidrIp": PREFIXES[:-1], "GroupId": GROUPS, "PrefixListId": ["pl-1"]}
    said = {f"{far}{kind}": draw(st.sampled_from(values[kind]))}
    said[f"{near}CidrIp"] = draw(st.sampled_from(["", "", "10.0.1.11/32"])) if kind == "CidrIp" else ""
    policy, priority = draw(st.sampled_from(["Accept", "Drop"])), draw(st.sampled_from([1, 2, "2", 100]))
    return shapes.permission(direction, protocol, f"{first}/{last}", Policy=policy, Priority=priority, **said)


def _others(id_: str, rules: list[Doc]) -> list[Doc]:
    """Without those that name the group itself, which the API refuses."""
    return [each for each in rules if id_ not in (each["SourceGroupId"], each["DestGroupId"])]


@QUIET
@given(places, st.lists(st.tuples(st.lists(alibaba_rules(), max_size=4), st.booleans()), min_size=3, max_size=3))
def test_alibaba(placed: tuple[list[str], ...], said: list[tuple[list[Doc], bool]]) -> None:
    answers = [
        shapes.attribute(id_, *_others(id_, each), inner="Accept" if inner else "Drop", vpc="vpc-1")
        for id_, (each, inner) in zip(GROUPS, said, strict=True)
    ]
    machines: list[Doc] = [
        {"InstanceId": f"vm{n}", "VpcAttributes": {"VpcId": "vpc-1", "VSwitchId": "vsw-1"}, "InstanceName": f"vm{n}"}
        | {"SecurityGroupIds": {"SecurityGroupId": own}, "NetworkInterfaces": {"NetworkInterface": []}}
        for n, own in enumerate(placed)
    ]
    for n, machine in enumerate(machines):
        machine["VpcAttributes"] |= {"PrivateIpAddress": {"IpAddress": [ADDRESSES[n]]}}
    files: Files = {"a.json": answers, "i.json": {"Instances": {"Instance": machines}}}
    agree(imported(files), raw.alibaba(answers, {}), placed)
