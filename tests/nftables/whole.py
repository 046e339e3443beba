"""A world with a little of everything that a table can hold, and small edits of every kind."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from ringfence import worldfile
from ringfence.model.acl import AclRule
from ringfence.model.address import Address, AddressRange, Family
from ringfence.model.group import SecurityGroup
from ringfence.model.rule import Rule
from ringfence.model.service import PortRange
from ringfence.model.topology import Instance, Peering, Penalty, Port, Subnet, VirtualIp, Vpc
from ringfence.model.validation import problems
from ringfence.model.world import World, by_name

VPC = "main"
"""The VPC that is looked at."""

WHOLE = worldfile.parse(
    """
profile: huawei
switches: {five_tuple: true}
vpcs:
  main:
    cidrs: [10.0.0.0/16, "fd00::/56"]
    subnets:
      front: {cidr: 10.0.1.0/24, cidr6: "fd00:0:0:1::/64", acl: edge}
      back: {cidr: 10.0.2.0/24, cidr6: "fd00:0:0:2::/64", acl: deep}
      free: {cidr: 10.0.3.0/24, cidr6: "fd00:0:0:3::/64"}
    border: [in deny tcp 23 from any to any, out deny udp 69 from any to any]
  near:
    cidrs: [10.1.0.0/16, "fd00:1::/56"]
    subnets:
      net: {cidr: 10.1.1.0/24, cidr6: "fd00:1:0:1::/64"}
peerings:
  - {name: bridge, vpcs: [main, near], firewall: [deny tcp 3389 from any to any, allow tcp 22 from office to any]}
address_groups:
  office: [203.0.113.0/24, 203.0.113.7, 198.51.100.7-198.51.100.20]
  office6: ["2001:db8:1::/48", "2001:db8::9"]
port_lists:
  some-ports: [8080, 9000-9100, 9050-9200]
  no-ports: []
acls:
  edge: [in allow all from any to any, out allow all from any to any]
  deep:
    - in allow tcp 3306 from any to any
    - in deny udp 53 from office to any
    - in allow all from 10.0.0.0/8 to any
    - out allow all from any to any
  spare: [in allow tcp 1-9 from any port 1024-65535 to any]
groups:
  web:
    ftp_helper: true
    rules:
      - in allow tcp 80,443 from any
      - in deny tcp 80 from office
      - in allow icmp from any
      - in allow tcp some-ports from 10.0.0.0/8
      - in deny tcp some-ports from office6
      - in deny tcp no-ports from any
      - in allow udp 1,3,5,7,9,11,13,15,17,19 from 10.0.0.0/24
      - in allow tcp 21 from 10.0.0.0/8 port 1024-65535 to 10.0.1.11/32
      - out allow all to any
  db:
    rules:
      - in allow tcp 3306 from group web
      - in deny all from 10.0.0.0/8 priority 2
      - in allow udp 5 from office6
      - out allow all to any
  bare: {rules: []}
instances:
  a: {subnet: front, ip: 10.0.1.11, ip6: "fd00:0:0:1::b", groups: [web]}
  b: {subnet: front, ip: 10.0.1.12, ip6: "fd00:0:0:1::c", groups: [web]}
  c: {subnet: back, ip: 10.0.2.13, ip6: "fd00:0:0:2::d", groups: [db]}
  d: {subnet: free, ip: 10.0.3.14, ip6: "fd00:0:0:3::e", groups: [web, db]}
  n: {subnet: net, ip: 10.1.1.15, ip6: "fd00:1:0:1::f", groups: [web]}
virtual_ips:
  vip: {subnet: front, ip: 10.0.1.100, ip6: "fd00:0:0:1::64", ports: [a, b], active: a}
blocks: {b: abuse}
outside:
  laptop: [203.0.113.9, "2001:db8::9"]
""",
    "whole.yaml",
)

Edit = Callable[[World, random.Random], World]


def _with_port(world: World, port: Port) -> World:
    return replace(world, instances=by_name([*world.instances.values(), Instance(port.instance, (port,))]))


def _any_port(world: World, chance: random.Random) -> Port:
    return chance.choice(world.ports)


def _any_subnet(world: World, chance: random.Random) -> Subnet:
    return chance.choice([subnet for vpc in world.vpcs.values() for subnet in vpc.subnets.values()])


def _other_groups(world: World, chance: random.Random) -> World:
    """A port joins some groups and leaves others."""
    groups = tuple(chance.sample(list(world.groups), chance.randint(1, 3)))
    return _with_port(world, replace(_any_port(world, chance), groups=groups))


def _port_comes(world: World, chance: random.Random) -> World:
    """A port with addresses of both families or of one, which another port may have had before."""
    free = [number for number in range(20, 26) if f"x{number}" not in world.instances]
    if not free:
        return world
    number, subnet = chance.choice(free), _any_subnet(world, chance)
    addresses = [Address(it.family, it.network + number) for it in subnet.prefixes]
    kept = tuple(sorted(chance.sample(addresses, chance.randint(1, 2))))
    group = chance.choice(list(world.groups))
    return _with_port(world, Port(f"x{number}", "eth0", subnet.name, subnet.vpc, kept, (group,)))


def _port_goes(world: World, chance: random.Random) -> World:
    """One of the ports that came."""
    gone = chance.choice([*(name for name in world.instances if name.startswith("x")), ""])
    instances = [it for it in world.instances.values() if it.name != gone]
    penalties = [it for it in world.penalties.values() if it.target.partition(".")[0] != gone]
    return replace(world, instances=by_name(instances), penalties=by_name(penalties))


def _entries(world: World, chance: random.Random) -> World:
    """An address group gains entries, as long as another or of a new length, and loses some; it may end up empty."""
    group = chance.choice(list(world.address_groups.values()))
    family = Family.IPV6 if group.name.endswith("6") else Family.IPV4
    base = {Family.IPV4: 198 << 24 | 18 << 16, Family.IPV6: 0x20010DB8 << 96}[family]
    first = base + (chance.randrange(64) << 4)
    kept = [entry for entry in group.entries if chance.random() < 0.7]
    new = AddressRange(family, first, first + chance.choice([0, 0, 0, 1, 3, 6, 15]))
    entries = [*kept, *([new] if chance.random() < 0.8 else [])]
    entries = list(dict.fromkeys(entries))[:15]
    return replace(
        world, address_groups=by_name([*world.address_groups.values(), replace(group, entries=tuple(entries))])
    )


def _ports(world: World, chance: random.Random) -> World:
    """A port list gains entries and loses some; it may end up empty. None hides a rule that names an address group."""
    listed = chance.choice(list(world.port_lists.values()))
    first = chance.choice([23, 8000, 8081, 9000, 9101])
    new = PortRange(first, first + chance.choice([0, 1, 9]))
    kept = [entry for entry in listed.entries if chance.random() < 0.7]
    entries = tuple(dict.fromkeys([*kept, *([new] if chance.random() < 0.7 else [])]))
    return replace(world, port_lists=by_name([*world.port_lists.values(), replace(listed, entries=entries)]))


_RULES = [
    *(
        "in allow tcp 22 from any",
        "in deny udp 1-1023 from office",
        "in allow all from group web",
        "out deny gre to any",
    ),
    *("in allow udp 7 from group db priority 3", "in allow tcp 8080 from office6", "out allow tcp 443 to group bare"),
    "in allow tcp 9 from office to 10.0.1.12/32",
    *(
        "in allow udp some-ports from group db",
        "out deny tcp no-ports to any",
        "out deny tcp some-ports to 203.0.113.0/24",
    ),
    *(f"in allow tcp {port} from 10.0.{port % 4}.0/24" for port in range(100, 112)),
]


def _rules(world: World, chance: random.Random) -> World:
    """A group gets rules, or loses some."""
    group = chance.choice(list(world.groups.values()))
    kept = [rule for rule in group.rules if chance.random() < 0.8]
    made = [*kept, *map(Rule.parse, chance.sample(_RULES, chance.choice([1, 3, 12])))]
    return _with_group(world, replace(group, rules=tuple({rule.key: rule for rule in made}.values())))


def _with_group(world: World, group: SecurityGroup) -> World:
    return replace(world, groups=by_name([*world.groups.values(), group]))


def _helper(world: World, chance: random.Random) -> World:
    group = chance.choice(list(world.groups.values()))
    return _with_group(world, replace(group, ftp_helper=not group.ftp_helper))


_LINES = [
    *("in deny tcp 23 from office to any", "in allow udp 53 from any to 10.0.0.0/8", "out deny icmp from any to any"),
    *("out allow tcp 25 from any to office", "in allow all from any to any", "out allow all from any to any"),
    *(f"in deny udp {port} from 10.{port}.0.0/16 port 1024-65535 to any" for port in range(1, 11)),
]


def _lines(chance: random.Random) -> tuple[AclRule, ...]:
    return tuple(map(AclRule.parse, chance.sample(_LINES, chance.choice([0, 1, 3, 12]))))


def _acl(world: World, chance: random.Random) -> World:
    """The lines of an ACL, and whether it is enabled."""
    acl = replace(chance.choice(list(world.acls.values())), rules=_lines(chance), enabled=chance.random() < 0.8)
    return replace(world, acls=by_name([*world.acls.values(), acl]))


def _with_vpc(world: World, vpc: Vpc) -> World:
    return replace(world, vpcs=by_name([*world.vpcs.values(), vpc]))


def _edge(world: World, chance: random.Random) -> World:
    """A subnet gets another ACL, or none."""
    subnet = _any_subnet(world, chance)
    vpc, moved = world.vpcs[subnet.vpc], replace(subnet, acl=chance.choice(["", *world.acls]))
    return _with_vpc(world, replace(vpc, subnets={**vpc.subnets, subnet.name: moved}))


def _no_edges(world: World, chance: random.Random) -> World:
    """No subnet of the VPC has an ACL any more."""
    vpc = world.vpcs[VPC]
    return _with_vpc(world, replace(vpc, subnets={name: replace(it, acl="") for name, it in vpc.subnets.items()}))


def _border(world: World, chance: random.Random) -> World:
    return _with_vpc(world, replace(world.vpcs[VPC], border=_lines(chance)))


def _peering(world: World, chance: random.Random) -> World:
    """A peering comes with a firewall or without, or goes."""
    lines = {it.key: it for line in _lines(chance) if (it := replace(line, direction=None))}
    made = [Peering("bridge", ("main", "near"), tuple(lines.values()))] if chance.random() < 0.7 else []
    return replace(world, peerings=by_name(made))


def _penalties(world: World, chance: random.Random) -> World:
    targets = [*world.instances, *map(str, world.ports)]
    return replace(
        world, penalties=by_name(Penalty(it, "abuse") for it in chance.sample(targets, chance.choice([0, 1, 2])))
    )


def _virtual_ip(world: World, chance: random.Random) -> World:
    """It moves, or may be had by fewer or more, or is gone."""
    ports = tuple(chance.sample(["a.eth0", "b.eth0"], chance.randint(0, 2)))
    own = [Address(it.family, it.network + 100) for it in world.vpcs[VPC].subnets["front"].prefixes]
    made = [VirtualIp("vip", "front", VPC, tuple(own), ports, ports[0])] if ports else []
    return replace(world, virtual_ips=by_name(made))


def _switches(world: World, chance: random.Random) -> World:
    """The VPC's ACLs judge every packet, or the first of a connection."""
    vpc = world.vpcs[VPC]
    stateful = chance.random() < 0.5
    return _with_vpc(world, replace(vpc, profile=replace(vpc.profile, acl_stateful=stateful)))


EDITS: Mapping[str, Edit] = {
    "a port's groups": _other_groups,
    "a port comes": _port_comes,
    "a port goes": _port_goes,
    "entries of an address group": _entries,
    "entries of a port list": _ports,
    "rules of a group": _rules,
    "the FTP helper of a group": _helper,
    "lines of an ACL": _acl,
    "the ACL of a subnet": _edge,
    "no ACL": _no_edges,
    "the border": _border,
    "a peering": _peering,
    "penalties": _penalties,
    "a virtual IP": _virtual_ip,
    "switches": _switches,
}
"""Small edits of `WHOLE` and of what became of it, each kind by its name; some change nothing."""


def edited(world: World, chance: random.Random, kinds: list[str] | None = None) -> Iterator[tuple[str, World]]:
    """Edit after edit without end, with the kind of each; every world on the way is valid."""
    while True:
        kind = chance.choice(kinds or list(EDITS))
        world = EDITS[kind](world, chance)
        assert problems(world) == (), kind
        yield kind, world
