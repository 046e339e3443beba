"""The world of the tests of logs: two VPCs with the same addresses, a third one peered, both kinds of ACL."""

from __future__ import annotations

from ringfence import worldfile
from ringfence.model.address import Address, Family
from ringfence.model.packet import SYN, Packet
from ringfence.model.service import TCP
from ringfence.model.topology import Port
from ringfence.model.world import World

TEXT = """
profile: alibaba
vpcs:
  shop:
    cidrs: [10.0.0.0/16, "fd00:10::/56"]
    subnets:
      web: {cidr: 10.0.1.0/24, cidr6: "fd00:10:0:1::/64"}
      db: {cidr: 10.0.2.0/24, cidr6: "fd00:10:0:2::/64", acl: edge}
  twin:
    profile: huawei
    cidrs: [10.0.0.0/16, "fd00:10::/56"]
    subnets: {web: {cidr: 10.0.1.0/24, cidr6: "fd00:10:0:1::/64"}}
  ops:
    cidrs: [10.9.0.0/16, "fd00:90::/56"]
    subnets: {ops: {cidr: 10.9.1.0/24, cidr6: "fd00:90:0:1::/64"}}
groups:
  sg-web:
    vpc: shop
    rules: [in allow tcp 80 from any, in allow icmp from any, in allow icmpv6 from any, out deny udp 53 to any]
  sg-db:
    vpc: shop
    rules: [in allow tcp 3306 from any, in allow tcp 8080 from any, out deny tcp 40005 to any]
  sg-twin: {vpc: twin, rules: [in allow tcp 3306 from any, out allow all to any]}
  sg-ops: {vpc: ops, account: "77", rules: [in allow tcp 22 from any]}
acls:
  edge:
    vpc: shop
    rules:
      - in deny tcp 8080 from any to any
      - in allow all from any to any
      - out deny tcp 40000-40009 from any to any
      - out allow all from any to any
peerings: [{vpcs: [shop, ops]}]
instances:
  web-1: {subnet: shop/web, ip: 10.0.1.11, ip6: "fd00:10:0:1::11", groups: [sg-web]}
  web-2: {subnet: shop/web, ip: 10.0.1.12, ip6: "fd00:10:0:1::12", groups: [sg-web]}
  db-1: {subnet: db, ip: 10.0.2.21, ip6: "fd00:10:0:2::21", groups: [sg-db]}
  twin-1: {subnet: twin/web, ip: 10.0.1.11, ip6: "fd00:10:0:1::11", groups: [sg-twin]}
  twin-2: {subnet: twin/web, ip: 10.0.1.12, ip6: "fd00:10:0:1::12", groups: [sg-twin]}
  ops-1: {subnet: ops, ip: 10.9.1.5, ip6: "fd00:90:0:1::5", groups: [sg-ops]}
  bad-1: {subnet: ops, ip: 10.9.1.6, ip6: "fd00:90:0:1::6", groups: [sg-ops]}
virtual_ips:
  vip: {subnet: shop/web, ip: 10.0.1.50, ip6: "fd00:10:0:1::50", ports: [web-1, web-2], active: web-1}
blocks: {bad-1: "sends spam"}
"""
LAPTOP = {Family.IPV4: Address.parse("203.0.113.9"), Family.IPV6: Address.parse("2001:db8::9")}
"""Somebody outside; a world with two VPCs of the same addresses has no outside hosts of its own."""


def world() -> World:
    return worldfile.parse(TEXT, "test")


def port(of: World, name: str) -> Port:
    return of.port_by_name[f"{name}.eth0"]


def address(of: World, name: str, family: Family) -> Address:
    """``web-1``, ``vip``, ``laptop``; or an IPv4 address, for IPv6 the one that looks like it."""
    if name == "laptop":
        return LAPTOP[family]
    if name[0].isdigit():
        last = int(name.rpartition(".")[2])
        return Address.parse(name if family is Family.IPV4 else f"fd00:10:0:1::{last}")
    found = of.resolve(name).address(family)
    assert found
    return found


def packet(
    of: World, text: str, family: Family = Family.IPV4, protocol: int = TCP, flags: int = SYN, length: int = 60
) -> Packet:
    """``laptop:40000 -> web-1:80``; without ports where the protocol has none."""
    ends = [end.partition(":") for end in text.split(" -> ")]
    source, destination = (address(of, name, family) for name, _, _ in ends)
    one, two = (int(number) if number else None for _, _, number in ends)
    return Packet(source, destination, protocol, length, one, two, flags if protocol == TCP else 0)
